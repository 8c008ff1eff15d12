"""Measurements of Xin: answer quality on judged question sets, and speed beside a floor of the same run."""
