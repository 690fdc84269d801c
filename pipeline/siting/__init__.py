"""Where public lifts and neighbourhood facilities would relieve most, on the slope network."""
