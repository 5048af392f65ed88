//! Fuzz targets for every parser
