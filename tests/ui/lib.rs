//! What the macros refuse is told by the test; this only lets the package be one.
