//! The server's side: puts labels before lines.

use super::Log;
use portcullis_component::{Error, Opening, Sessions};
use portcullis_rpc as rpc;
use std::cell::RefCell;
use std::rc::Rc;

/// Serves logs: each line goes to one sink, with the label of who wrote it.
///
/// ```
/// use portcullis_component::test::with_server;
/// use portcullis_component::{Env, Error};
/// use portcullis_sessions::log::{Log, LogComponent};
///
/// let (to_us, lines) = std::sync::mpsc::channel();
/// with_server(
///     |env: Env| {
///         env.announce::<dyn Log, _>(LogComponent::new(move |line| drop(to_us.send(line.to_owned()))))
///     },
///     |env| {
///         env.connect::<dyn Log>("about", &())?.write("good day")?;
///         Ok::<_, Error>(())
///     },
/// )?;
/// assert_eq!(lines.recv().as_deref(), Ok("[test -> about] good day"));
/// # Ok::<_, Error>(())
/// ```
pub struct LogComponent(Sink);

type Sink = Rc<RefCell<dyn FnMut(&str)>>;

impl LogComponent {
    /// Has each line go to the sink.
    #[must_use]
    pub fn new(sink: impl FnMut(&str) + 'static) -> LogComponent {
        LogComponent(Rc::new(RefCell::new(sink)))
    }
}

impl Sessions<dyn Log> for LogComponent {
    type Session = LogSession;

    fn create(&mut self, opening: Opening<()>) -> Result<LogSession, Error> {
        Ok(LogSession { prefix: opening.label.to_string(), sink: self.0.clone() })
    }
}

/// One client's log: what a [`LogComponent`] makes of a request.
///
/// ```
/// use portcullis_component::Sessions;
/// use portcullis_sessions::log::{Log, LogComponent, LogSession};
///
/// fn is_made<S: Sessions<dyn Log, Session = LogSession>>() {}
/// is_made::<LogComponent>();
/// ```
pub struct LogSession {
    prefix: String,
    sink: Sink,
}

impl Log for LogSession {
    fn write(&mut self, text: &str) -> Result<usize, rpc::Error> {
        let mut sink = self.sink.borrow_mut();
        for line in text.lines() {
            let safe = |character: char| {
                if character.is_control() && character != '\t' { '\u{fffd}' } else { character }
            };
            let line: String = line.chars().map(safe).collect();
            sink(&format!("[{}] {line}", self.prefix));
        }
        Ok(text.len())
    }
}

impl std::fmt::Debug for LogComponent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogComponent")
    }
}

impl std::fmt::Debug for LogSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LogSession").field(&self.prefix).finish()
    }
}
