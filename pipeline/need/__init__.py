"""Need: from measurements to needs, and how much each criterion weighs."""
