"""Plain report pages: headings, tables and charts in Chinese and English, one file, no script."""
