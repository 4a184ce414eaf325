"""The compiled search: layout, composition, projections, certificates, cells, descents."""
