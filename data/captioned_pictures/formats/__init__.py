"""Each kind of picture file in the graph: what its header says, its colours, which way up it is."""
