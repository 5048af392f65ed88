//! Benchmarks, load and faults for Tresen.
