//! Session interfaces: what components usually ask each other for.
//!
//! Each is a folder with the same files: the interface (`mod`), the client's side (`client`), the session as a client holds it
//! (`connection`), and a component that serves it (`component`).
//!
//! | session | is |
//! |---|---|
//! | [`log`] | lines of text for a human |
#![forbid(unsafe_code)]

pub mod log;
