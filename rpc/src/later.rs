//! Results that come after the method has returned.

use crate::answer::{Answer, Fallible};
use crate::error::Error;
use crate::serve::Outcome;
use portcullis_ipc::{Caller, MsgBuf, Refusal, Server};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// What a method returns that answers later: its caller waits, the entrypoint serves others meanwhile.
///
/// A [`Reply`] stays until it is answered or dropped, though its caller may be gone by then
/// ([`is_awaited`](Reply::is_awaited)); and a client who is gone can come again. So whoever keeps replies keeps no more than somebody
/// has paid for, such as one for each session, or looks now and then which of them are still of use.
///
/// A remote call waits for the result and finds it in the `Later`: [`get`](Self::get) returns it at once.
///
/// ```
/// use portcullis_rpc::{Error, Later, Reply};
///
/// struct Door { waiting: Vec<Reply<Result<u32, Error>>> }
/// impl Door {
///     fn pass(&mut self) -> Later<Result<u32, Error>> {
///         let (later, reply) = Later::new();
///         self.waiting.push(reply);
///         later
///     }
/// }
/// let mut door = Door { waiting: Vec::new() };
/// let later = door.pass();
/// door.waiting.pop().expect("one waits").answer(Ok(7));
/// assert_eq!(later.get(), Ok(7));
/// ```
#[must_use = "the caller gets its result through it"]
pub struct Later<R>(Inner<R>);

enum Inner<R> {
    Here(R),
    Promised(Promise<R>),
}

/// The right to answer a call later, once. If it is dropped, the caller is told that the call was abandoned.
///
/// It stays on the entrypoint's thread.
#[must_use = "a dropped reply abandons its call"]
pub struct Reply<R>(Promise<R>);

type Promise<R> = Rc<RefCell<State<R>>>;

enum State<R> {
    /// The method runs, or its entrypoint does not know of it yet.
    Open,
    /// Answered before the entrypoint gave the caller away.
    Answered(R),
    /// The `Reply` was dropped.
    Abandoned,
    /// The caller waits for the encoded result.
    Bound { encode: Encoder<R>, caller: Caller, outbox: Outbox },
    /// Passed on.
    Done,
}

/// Encodes a result into a reply.
type Encoder<R> = fn(R, &mut MsgBuf) -> Result<Outcome, Refusal>;

impl<R> Later<R> {
    /// A promise, and the right to keep it.
    #[allow(clippy::new_ret_no_self)] // the two come together
    pub fn new() -> (Later<R>, Reply<R>) {
        let promise = Rc::new(RefCell::new(State::Open));
        (Later(Inner::Promised(promise.clone())), Reply(promise))
    }

    /// A result that is there already.
    pub fn ready(result: R) -> Later<R> {
        Later(Inner::Here(result))
    }

    /// The result, if it is there; of a remote call it always is. Does not wait.
    ///
    /// # Errors
    /// The same `Later`, if the result is not there yet.
    pub fn try_get(self) -> Result<R, Later<R>> {
        let promise = match self.0 {
            Inner::Here(result) => return Ok(result),
            Inner::Promised(promise) => promise,
        };
        let taken = promise.replace(State::Done);
        match taken {
            State::Answered(result) => Ok(result),
            other => {
                promise.replace(other);
                Err(Later(Inner::Promised(promise)))
            }
        }
    }
}

impl<R: Fallible> Later<R> {
    /// The result; of a remote call it is always there. Does not wait.
    ///
    /// A local object's that is not there yet is [`Error::NotYet`], and [`Error::Abandoned`] if it never will be.
    pub fn get(self) -> R {
        self.try_get().unwrap_or_else(|later| R::failed(later.why_not()))
    }
}

impl<R> Later<R> {
    fn why_not(&self) -> Error {
        match &self.0 {
            Inner::Promised(promise) if matches!(*promise.borrow(), State::Abandoned) => Error::Abandoned,
            _ => Error::NotYet,
        }
    }
}

impl<R> Reply<R> {
    /// Whether somebody still waits for the answer, as far as that server knows, whose call it is: not if the caller has
    /// ended, or has given the call up. Never waits.
    #[must_use]
    pub fn is_awaited(&self, server: &Server) -> bool {
        match &*self.0.borrow() {
            // Unless what the method has made of the other half is gone: it panicked, or returned something else.
            State::Open => Rc::strong_count(&self.0) > 1,
            State::Bound { caller, .. } => server.awaits(caller),
            State::Answered(_) | State::Abandoned | State::Done => false,
        }
    }

    /// Answers the call. Never waits: the entrypoint sends the answer when the handler that runs has returned. Where none runs, a
    /// task that serves the entrypoint does so at once, and a foreign loop when it next dispatches.
    pub fn answer(self, result: R) {
        let state = self.0.replace(State::Done);
        match state {
            State::Bound { encode, caller, outbox } => {
                let mut message = Box::new(MsgBuf::new());
                let answer = encode(result, &mut message).map(|_| message);
                outbox.0.answers.borrow_mut().push((caller, answer));
                outbox.wake();
            }
            _ => drop(self.0.replace(State::Answered(result))),
        }
    }
}

impl<R> Drop for Reply<R> {
    fn drop(&mut self) {
        // A caller that is dropped here is told by its server.
        let state = self.0.replace(State::Abandoned);
        match state {
            State::Answered(_) | State::Done => drop(self.0.replace(state)),
            State::Bound { caller, outbox, .. } => {
                drop(caller);
                outbox.wake();
            }
            State::Open | State::Abandoned => {}
        }
    }
}

/// A promised result whose entrypoint has to give its caller away.
#[must_use = "without its caller a result cannot be sent"]
pub struct Deferred(Box<dyn Bind>);

impl Deferred {
    /// Has the result sent to `caller`, through `outbox`, as soon as it is there.
    pub fn bind(self, caller: Caller, outbox: &Outbox) {
        self.0.bind(caller, outbox);
    }
}

trait Bind {
    fn bind(self: Box<Self>, caller: Caller, outbox: &Outbox);
}

struct Unbound<R> {
    promise: Promise<R>,
    encode: Encoder<R>,
}

impl<R> Bind for Unbound<R> {
    fn bind(self: Box<Self>, caller: Caller, outbox: &Outbox) {
        let Unbound { promise, encode } = *self;
        let state = promise.replace(State::Done);
        match state {
            State::Open => {
                promise.replace(State::Bound { encode, caller, outbox: outbox.clone() });
            }
            State::Answered(result) => {
                promise.replace(State::Bound { encode, caller, outbox: outbox.clone() });
                Reply(promise).answer(result);
            }
            // The caller is dropped, and so told.
            State::Abandoned | State::Bound { .. } | State::Done => {}
        }
    }
}

/// Answers that wait for their server to send them: an entrypoint keeps one and [flushes](Self::flush) it whenever a
/// handler has returned. Clones are the same outbox.
#[derive(Clone, Default)]
pub struct Outbox(Rc<Waiting>);

#[derive(Default)]
struct Waiting {
    answers: RefCell<Vec<Answered>>,
    /// Whoever serves by a task that sleeps.
    sender: Cell<Option<Waker>>,
}

/// A caller and what it is told.
type Answered = (Caller, Result<Box<MsgBuf>, Refusal>);

impl Outbox {
    /// An empty outbox.
    #[must_use]
    pub fn new() -> Outbox {
        Outbox::default()
    }

    /// Whether no answer waits.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.answers.borrow().is_empty()
    }

    /// Waits, as a task, until somebody answers or drops his [`Reply`], or [wakes](Self::wake) it: for one that flushes the outbox, and has to share its
    /// thread with others who may do so. One task at a time.
    pub fn filled(&self) -> impl Future<Output = ()> {
        let mut has_asked = false;
        poll_fn(move |context| {
            if has_asked && self.0.sender.take().is_none() {
                return Poll::Ready(());
            }
            has_asked = true;
            self.0.sender.set(Some(context.waker().clone()));
            Poll::Pending
        })
    }

    /// Ends the wait of a task for it to be [filled](Self::filled), be it empty: there is something else to do.
    #[inline]
    pub fn wake(&self) {
        if let Some(sender) = self.0.sender.take() {
            sender.wake();
        }
    }

    /// Sends what waits. Never waits itself. The failure of one answer does not keep the others; its client is told
    /// by the server, unless it is gone.
    pub fn flush(&self, server: &mut Server) {
        if self.is_empty() {
            return;
        }
        let answers = self.0.answers.take();
        for (caller, answer) in answers {
            let _ = match answer {
                Ok(message) => server.reply(caller, &message),
                Err(refusal) => server.refuse(caller, refusal),
            };
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: From<Error>> Fallible for Later<Result<T, E>> {
    fn failed(error: Error) -> Self {
        Later::ready(Err(error.into()))
    }
}

impl<T, E, S> Answer<S> for Later<Result<T, E>>
where
    T: 'static,
    E: 'static,
    Result<T, E>: Answer<S>,
{
    fn send(self, reply: &mut MsgBuf) -> Result<Outcome, Refusal> {
        match self.try_get() {
            Ok(result) | Err(Later(Inner::Here(result))) => result.send(reply),
            Err(Later(Inner::Promised(promise))) => {
                Ok(Outcome::Later(Deferred(Box::new(Unbound { promise, encode: Answer::send }))))
            }
        }
    }

    fn receive(reply: &mut MsgBuf) -> Result<Self, Error> {
        Answer::receive(reply).map(Later::ready)
    }
}

impl<R> fmt::Debug for Later<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Inner::Here(_) => "Later(here)",
            Inner::Promised(_) => "Later(promised)",
        })
    }
}

impl<R> fmt::Debug for Reply<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deferred")
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("answers", &self.0.answers.borrow().len()).finish()
    }
}
