"""A person made of one portrait: meshed, turned in 3D, blinking and speaking, in a room, before a sensor."""
