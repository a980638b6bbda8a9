"""Parts of NAS-Bench-101: graphs as codes, the md5 key, the table of all cells, the size of the network."""
