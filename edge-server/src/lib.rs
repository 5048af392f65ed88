//! The program that runs on the site
