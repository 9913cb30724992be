"""The commands of ``huntlake``, a module each or two; ``pipelines.cli`` joins them."""
