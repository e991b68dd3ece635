//! Session interfaces.
