//! What a screen is: a content-addressed tree of drawing nodes
