"""What the stages promise each other: columns, tables and the inspector."""
