"""Operations: health, and later backup, restore, retention, erasure."""
