//! Session interfaces: what components usually ask each other for.
//!
//! Each is a folder with the same files: the interface (`mod`), the client's side (`client`), the session as a client holds it
//! (`connection`), and a component that serves it (`component`).
//!
//! | session | is | arguments |
//! |---|---|---|
//! | [`log`] | lines of text for a human | |
//! | [`rom`] | a content that is read, and is replaced by newer ones | |
//! | [`report`] | a content that is written, for others to read | the size of its buffer |
//! | [`timer`] | the time, and waking at points in time | |
//! | [`terminal`] | bytes to and from a human | |
//!
//! What a component holds for a session it takes out of the session's donation, and says how much is missing if that is not
//! enough. Contents lie in dataspaces that the server makes and the client attaches once; calls say how much lies there, and signals that
//! there is something new. [`Board`] is what lies between reports and ROMs.
#![forbid(unsafe_code)]

mod board;
pub mod log;
pub mod report;
pub mod rom;
pub mod terminal;
pub mod timer;

pub use board::Board;
