//! Text, icons, shapes and layout, rasterised once on the server into scene objects
