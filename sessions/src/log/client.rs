//! The client's side: texts of any length.

use super::Log;
use portcullis_rpc::{self as rpc, Client};

/// The most bytes of a text that fit into one call: a message less what the encoding takes.
pub const MAX_TEXT: usize = 1022;
/// Before what goes on with a line in another call: so that nothing which begins as a line does is in the middle of one.
const GOES_ON: &str = "... ";

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
/// paper.print(&("one\n".repeat(255) + "other"))?;
/// assert_eq!(paper.0[..2], ["ü".repeat(511), "... ".to_owned() + &"ü".repeat(489)]);
/// assert_eq!(paper.0[2..], ["one\n".repeat(255), "other".into()]);
/// # Ok::<_, rpc::Error>(())
/// ```
pub trait LogText: Log {
    /// Writes a text of any length, in as few calls as it takes: whole lines in each, and of a line that is too long for a call the rest
    /// with `... ` before it in the next. None ends within a character.
    ///
    /// # Errors
    /// Of the first call that fails; what came before is written.
    fn print(&mut self, text: &str) -> Result<(), rpc::Error> {
        let (mut rest, mut mark) = (text, "");
        loop {
            let most = rest.floor_char_boundary(MAX_TEXT - mark.len());
            let last_line = if most < rest.len() { rest[..most].rfind('\n') } else { None };
            let (part, next) = rest.split_at(last_line.map_or(most, |end| end + 1));
            if mark.is_empty() {
                self.write(part)?;
            } else {
                self.write(&format!("{mark}{part}"))?;
            }
            if next.is_empty() {
                return Ok(());
            }
            mark = if last_line.is_some() { "" } else { GOES_ON };
            rest = next;
        }
    }
}

impl<L: Log + ?Sized> LogText for L {}
