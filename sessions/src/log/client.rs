//! The client's side: texts of any length.

use super::Log;
use portcullis_rpc::{self as rpc, Client};

/// The most bytes of a text that fit into one call: a message less what the encoding takes.
pub const MAX_TEXT: usize = 1022;

/// A client of a log session.
pub type LogClient = Client<dyn Log>;

/// What a log can do that takes several calls.
///
/// ```
/// use portcullis_rpc as rpc;
/// use portcullis_sessions::log::{Log, LogText};
///
/// struct Paper(Vec<String>);
/// impl Log for Paper {
///     fn write(&mut self, text: &str) -> Result<usize, rpc::Error> {
///         self.0.push(text.into());
///         Ok(text.len())
///     }
/// }
///
/// let mut paper = Paper(Vec::new());
/// paper.print(&"ü".repeat(1000))?;
/// assert_eq!(paper.0, ["ü".repeat(511), "ü".repeat(489)]);
/// # Ok::<_, rpc::Error>(())
/// ```
pub trait LogText: Log {
    /// Writes a text of any length, in as few calls as it takes, none of which ends within a character.
    ///
    /// # Errors
    /// Of the first call that fails; what came before is written.
    fn print(&mut self, text: &str) -> Result<(), rpc::Error> {
        let mut rest = text;
        loop {
            let (part, next) = rest.split_at(rest.floor_char_boundary(MAX_TEXT));
            self.write(part)?;
            if next.is_empty() {
                return Ok(());
            }
            rest = next;
        }
    }
}

impl<L: Log + ?Sized> LogText for L {}
