//! The counter component: makes counting objects, and counts.
//!
//! It believes no request: what is not one of its methods with the right arguments is refused, and so are more
//! objects than [`MOST_OBJECTS`]. It does not know who calls; whoever holds an object may count with it.

use super::count::{Counts, WordCounter, WordRule};
use super::interface::{counter, counting};
use super::reply::{self, Refusal};
use portcullis_ipc::{Badge, Capability, Deadline, Error, Limits, MsgBuf, Pd, Server};
use std::collections::HashMap;

/// Counting objects at one time. All of them are made for the one parent, who alone holds the counter.
pub const MOST_OBJECTS: u32 = 64;

/// The parent holds the counter and all objects; each of those whom it hands one to comes by a portal.
const LIMITS: Limits = Limits { rows: 1 + MOST_OBJECTS, channels: 128, portals: MOST_OBJECTS };

/// Runs the component: serves the parent until it ends.
///
/// # Errors
/// [`Error::NotSpawned`] if this process is no component; else what the system refuses.
pub fn run() -> Result<(), Error> {
    let mut server = Server::with(&Pd::new()?, LIMITS)?;
    server.serve_parent(server.badge())?;
    serve(&mut server)
}

/// Makes the server's own object a counter and serves until the parent ends.
///
/// # Errors
/// What the system refuses.
pub fn serve(server: &mut Server) -> Result<(), Error> {
    let mut counter = Counter::default();
    let mut message = MsgBuf::new();
    let mut caller = None;
    loop {
        match server.reply_and_wait(caller.take(), &mut message, Deadline::Never) {
            Ok(request) => {
                counter.answer(server, request.badge, &mut message)?;
                caller = Some(request.caller);
            }
            // The new object could not be handed over, as its client was told: nobody will ever call it.
            Err(Error::BudgetExceeded) => counter.close_newest(server),
            Err(Error::ParentGone) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// What a method answers.
enum Answer {
    Nothing,
    Object(Capability),
    Counts(Counts),
}

#[derive(Default)]
struct Counter {
    objects: HashMap<Badge, WordCounter>,
    /// The object that was made last.
    newest: Option<Badge>,
}

impl Counter {
    /// Turns a request into its answer.
    fn answer(&mut self, server: &mut Server, badge: Badge, message: &mut MsgBuf) -> Result<(), Error> {
        let answer = if badge == server.badge() {
            self.make(server, message)
        } else {
            self.count(server, badge, message)
        };
        match answer {
            Err(refusal) => reply::refused(message, refusal),
            Ok(Answer::Nothing) => reply::done(message),
            Ok(Answer::Object(object)) => reply::done(message).and_then(|()| message.push(object)),
            Ok(Answer::Counts(counts)) => reply::done(message).and_then(|()| message.write(&counts.encode())),
        }
    }

    /// A call to the counter.
    fn make(&mut self, server: &mut Server, request: &MsgBuf) -> Result<Answer, Refusal> {
        let rule = match (request.opcode(), request.data()) {
            (counter::OPEN, &[rule]) => WordRule::decode(rule).ok_or(Refusal::Malformed)?,
            (counter::OPEN, _) => return Err(Refusal::Malformed),
            _ => return Err(Refusal::UnknownMethod),
        };
        if self.objects.len() >= MOST_OBJECTS as usize {
            return Err(Refusal::Exhausted);
        }
        let (badge, object) = server.mint().map_err(|_| Refusal::Exhausted)?;
        self.objects.insert(badge, WordCounter::new(rule));
        self.newest = Some(badge);
        Ok(Answer::Object(object))
    }

    /// A call to a counting object.
    fn count(&mut self, server: &mut Server, badge: Badge, request: &MsgBuf) -> Result<Answer, Refusal> {
        // The server lets through no call to an object that was dissolved.
        let object = self.objects.get_mut(&badge).ok_or(Refusal::UnknownMethod)?;
        match (request.opcode(), request.data()) {
            (counting::ADD, piece) => {
                object.add(piece);
                Ok(Answer::Nothing)
            }
            (counting::COUNTS, []) => Ok(Answer::Counts(object.counts())),
            (counting::CLOSE, []) => {
                self.close(server, badge);
                Ok(Answer::Nothing)
            }
            (counting::COUNTS | counting::CLOSE, _) => Err(Refusal::Malformed),
            _ => Err(Refusal::UnknownMethod),
        }
    }

    fn close(&mut self, server: &mut Server, badge: Badge) {
        self.objects.remove(&badge);
        server.dissolve(badge);
    }

    fn close_newest(&mut self, server: &mut Server) {
        if let Some(badge) = self.newest.take() {
            self.close(server, badge);
        }
    }
}
