"""Figures of the platform as a whole: queues, database, disk, memory, and people who are waited for."""
