//! How an actor is asked, in words of 8 bytes.

use super::op::{Failure, Object, Outcome};
use crate::service::{bytes, words};
use portcullis_ipc::{Capability, Error, MsgBuf};

/// What an actor is asked for. Every object of it does the first six; the others are for whoever started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The object's number.
    Identify,
    /// The object's number; it is dissolved.
    Dissolve,
    /// `[number, ...]`: keeps each capability that came under its number.
    Take,
    /// `[number]`: a kept capability.
    Hand,
    /// `[number, keep, count, number..., method, word...]`: calls the first with that method and those words, and
    /// with copies of the numbered capabilities and all that came. What that call answers is the answer; if `keep` is
    /// not 0, its capability is kept under that number instead.
    Call,
    /// Calls what came with the call, and drops it; what that call answers is the answer.
    Try,
    /// `[object, number]`: makes an object, and keeps a capability to it.
    Create,
    /// `[from, to]`: keeps a copy.
    Copy,
    /// `[number]`: drops it.
    Drop,
    /// `[object]`: dissolves it.
    End,
    /// Drops all and dissolves all.
    Clear,
    /// [`Report`], in words.
    Report,
    /// The next actor's first object, once.
    Next,
    /// `[number, as]`: lays a copy where the other actors of its process can take it from, under another number.
    Lay,
    /// `[number]`: takes what lies there under that number, and keeps it.
    Lift,
    /// `[count, word...]`: as [`Call`](Method::Call) with the rest of the words, so many times, or until a call fails.
    Repeat,
}

impl Method {
    const ALL: [Method; 16] = [
        Method::Identify,
        Method::Dissolve,
        Method::Take,
        Method::Hand,
        Method::Call,
        Method::Try,
        Method::Create,
        Method::Copy,
        Method::Drop,
        Method::End,
        Method::Clear,
        Method::Report,
        Method::Next,
        Method::Lay,
        Method::Lift,
        Method::Repeat,
    ];

    /// The method of that number.
    #[must_use]
    pub fn decode(number: u64) -> Option<Method> {
        Method::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// Whether any object does it.
    #[must_use]
    pub fn is_everybodys(self) -> bool {
        (self as u64) <= Method::Try as u64
    }
}

/// What an actor holds, as it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// `Usage::channels`.
    pub channels: u64,
    /// `Usage::rows`.
    pub rows: u64,
    /// `Usage::objects`.
    pub objects: u64,
    /// Open descriptors of its process.
    pub descriptors: u64,
    /// Mappings of its process.
    pub mappings: u64,
}

impl Report {
    /// In words.
    #[must_use]
    pub fn encode(self) -> [u64; 5] {
        [self.channels, self.rows, self.objects, self.descriptors, self.mappings]
    }

    fn decode(words: &[u64]) -> Option<Report> {
        let &[channels, rows, objects, descriptors, mappings] = words else { return None };
        Some(Report { channels, rows, objects, descriptors, mappings })
    }
}

/// The first word of an answer.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Done,
    Answered,
    Failed,
}

const FAILURES: [Failure; 5] = [
    Failure::InvalidCapability,
    Failure::Disconnected,
    Failure::CallCycle,
    Failure::DeadlineExceeded,
    Failure::Busy,
];

/// Makes the message an answer without capabilities.
///
/// # Errors
/// As `MsgBuf::write`.
pub fn answer(message: &mut MsgBuf, outcome: &Outcome) -> Result<(), Error> {
    message.clear();
    match outcome {
        Outcome::Done => message.write(&bytes(&[Kind::Done as u64])),
        Outcome::Answered(Object(number)) => message.write(&bytes(&[Kind::Answered as u64, *number])),
        Outcome::Failed(failure) => {
            let place = FAILURES.iter().position(|known| known == failure).unwrap_or(FAILURES.len());
            message.write(&bytes(&[Kind::Failed as u64, place as u64]))?;
            match failure {
                Failure::Other(what) => message.write(what.as_bytes()),
                _ => Ok(()),
            }
        }
    }
}

/// Reads an answer.
#[must_use]
pub fn outcome(data: &[u8]) -> Outcome {
    let words = words(data);
    match words[..] {
        [kind] if kind == Kind::Done as u64 => Outcome::Done,
        [kind, number] if kind == Kind::Answered as u64 => Outcome::Answered(Object(number)),
        [kind, place, ..] if kind == Kind::Failed as u64 => {
            let known = usize::try_from(place).ok().and_then(|place| FAILURES.get(place));
            Outcome::Failed(known.cloned().unwrap_or_else(|| {
                Failure::Other(String::from_utf8_lossy(data.get(16..).unwrap_or_default()).into_owned())
            }))
        }
        _ => Outcome::Failed(Failure::Other(format!("an answer that is none: {words:?}"))),
    }
}

/// Asks for something and reads the answer; the capabilities of the answer are in `receive`.
pub fn ask(
    capability: &Capability,
    method: Method,
    words: &[u64],
    with: Option<Capability>,
    receive: &mut MsgBuf,
) -> Outcome {
    let mut send = MsgBuf::new();
    send.set_method(method as u32, 0);
    let sent = send
        .write(&bytes(words))
        .and_then(|()| with.map_or(Ok(()), |with| send.push(with)))
        .and_then(|()| capability.call(&send, receive));
    match sent {
        Ok(()) => outcome(receive.data()),
        Err(error) => Outcome::Failed(error.into()),
    }
}

/// Asks an actor what it holds.
///
/// # Errors
/// As `Capability::call`.
pub fn report(first: &Capability) -> Result<Report, Error> {
    let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
    send.set_method(Method::Report as u32, 0);
    first.call(&send, &mut receive)?;
    Report::decode(&words(receive.data())).ok_or(Error::Abandoned)
}
