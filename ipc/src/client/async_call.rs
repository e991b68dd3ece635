//! Calls that a task waits for, and no thread.

use super::channel::Channel;
use super::portal::InLine;
use super::reference::RowReference;
use crate::capability::Capability;
use crate::context::{self, Terms};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::message::MsgBuf;
use crate::pd::watcher::Alarm;
use crate::protocol::line::Place;
use crate::wire::head::RowName;
use crate::wire::layout::LaneId;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A call under way, as a future: made by [`Capability::call_async`]. It gives the message back with the answer in it,
/// or the error for which there is none.
///
/// It depends on no executor and on no runtime: the watcher of the protection domain wakes the task, also when the
/// deadline has passed. Nothing is sent until it is first polled; the time of the deadline runs from when it was made.
/// Polling never blocks; while the answer is likely to come within microseconds, the task wakes itself to look for it, as
/// [`WaitPolicy`](crate::WaitPolicy) says. Dropped before it is done, it cancels the call, which may or may not have its effect then.
///
/// ```
/// # fn main() -> Result<(), portcullis_ipc::Error> {
/// use portcullis_ipc::{Deadline, MsgBuf, Pd, Server};
/// use std::{future::Future, pin::pin, sync::Arc, task, thread};
///
/// /// An executor: the thread sleeps until the task is woken.
/// struct Unpark(thread::Thread);
/// impl task::Wake for Unpark {
///     fn wake(self: Arc<Self>) {
///         self.0.unpark();
///     }
/// }
/// fn block_on<F: Future>(future: F) -> F::Output {
///     let (mut future, waker) = (pin!(future), Arc::new(Unpark(thread::current())).into());
///     loop {
///         match future.as_mut().poll(&mut task::Context::from_waker(&waker)) {
///             task::Poll::Ready(output) => return output,
///             task::Poll::Pending => thread::park(),
///         }
///     }
/// }
///
/// let (to_main, from_server) = std::sync::mpsc::channel();
/// thread::spawn(move || -> Result<(), portcullis_ipc::Error> {
///     let mut server = Server::new(&Pd::new()?)?;
///     let _ = to_main.send(server.capability());
///     let (mut message, mut caller) = (MsgBuf::new(), None);
///     loop {
///         caller = Some(server.reply_and_wait(caller, &mut message, Deadline::Never)?.caller);
///     }
/// });
/// let capability = from_server.recv().expect("the server thread runs");
/// let mut message = Box::new(MsgBuf::new());
/// message.write(b"echo")?;
/// let (one, other) = (capability.call_async(message), capability.call_async(Box::default()));
/// let answers = block_on(async { (one.await, other.await) });
/// assert_eq!(answers.0?.data(), b"echo");
/// assert_eq!(answers.1?.data(), b"");
/// # Ok(()) }
/// ```
#[must_use = "nothing is sent until it is polled"]
pub struct AsyncCall {
    stage: Stage,
    /// The request, and then the reply; until it is given back.
    message: Option<Box<MsgBuf>>,
    chain: u64,
    end: Option<Instant>,
    /// Until when the capability must be taken up, though the call has no end.
    introduction: Option<Instant>,
    /// Until then it is not asleep but looks for the reply whenever it is polled.
    looks_until: Option<Instant>,
    /// Whether it may look at all: the watcher has others to attend to.
    may_look: bool,
    alarm: Option<Alarm>,
    /// Its place among those that wait for the portal that it waits for.
    in_line: Option<InLine>,
}

/// How far the call is.
enum Stage {
    /// Nothing was done yet.
    New(Capability),
    /// It waits for a lane.
    Queued(Target, Option<Place>),
    /// The server has it.
    Called(Target, LaneId, u32),
    Done,
}

/// What is called.
struct Target {
    channel: Arc<Channel>,
    row: RowName,
    /// Holds the row, if it is one that is held.
    _reference: Option<RowReference>,
}

impl AsyncCall {
    pub(crate) fn new(capability: Capability, message: Box<MsgBuf>, deadline: Deadline) -> AsyncCall {
        let Terms { chain, deadline, .. } = context::start_call(deadline);
        let stage = Stage::New(capability);
        AsyncCall {
            stage,
            message: Some(message),
            chain,
            end: deadline.instant(),
            introduction: None,
            looks_until: None,
            may_look: true,
            alarm: None,
            in_line: None,
        }
    }

    /// A call of the entrypoint itself.
    pub(super) fn of_system(channel: Arc<Channel>, message: Box<MsgBuf>, deadline: Deadline) -> AsyncCall {
        let Terms { chain, deadline, .. } = context::start_call(deadline);
        let target = Target { channel, row: RowName::SYSTEM, _reference: None };
        let stage = Stage::Queued(target, None);
        let (end, message) = (deadline.instant(), Some(message));
        AsyncCall {
            stage,
            message,
            chain,
            end,
            introduction: None,
            looks_until: None,
            may_look: false,
            alarm: None,
            in_line: None,
        }
    }

    fn left(&self, now: Instant) -> Deadline {
        self.end.map_or(Deadline::Never, |end| Deadline::After(end.saturating_duration_since(now)))
    }

    /// Goes on as far as it can without waiting.
    fn advance(&mut self, waker: &Waker) -> Poll<Result<(), Error>> {
        let now = Instant::now();
        let left = self.left(now);
        let is_late = left == Deadline::After(Duration::ZERO);
        let (pd, end, late) = loop {
            match (&mut self.stage, &mut self.message) {
                (Stage::New(_), _) if is_late => return Poll::Ready(Err(Error::DeadlineExceeded)),
                (Stage::New(capability), _) => {
                    if let Some(portal) = capability.unsettled()
                        && portal.wait_for_ticket(&mut self.in_line, waker)
                    {
                        if self.end.is_none() && self.introduction.is_none() {
                            self.introduction = portal.introduction_limit();
                        }
                        if self.introduction.is_some_and(|end| end <= now) {
                            return Poll::Ready(Err(Error::NotTakenUp));
                        }
                        break (portal.pd(), self.end.or(self.introduction), Error::DeadlineExceeded);
                    }
                    self.alarm = self.alarm.take_if(|_| self.end.is_some());
                    let reached = capability.reach_now()?;
                    let channel = reached.channel();
                    channel.expect_tasks(self.end.is_some())?;
                    let target = Target {
                        channel: channel.clone(),
                        row: reached.row(),
                        _reference: reached.reference().cloned(),
                    };
                    drop(reached);
                    self.stage = Stage::Queued(target, None);
                }
                (Stage::Queued(target, None), Some(message))
                    if target.channel.must_wait(message, &mut self.in_line, waker) =>
                {
                    break (&target.channel.pd, self.end, Error::DeadlineExceeded);
                }
                (Stage::Queued(target, place), Some(message)) => {
                    let Poll::Ready(lane) = target.channel.poll_lane(place, waker) else {
                        break (&target.channel.pd, self.end, Error::Busy);
                    };
                    let lane = lane?;
                    self.in_line = None;
                    let sequence = target.channel.send(lane, target.row, message, self.chain, left)?;
                    if let Stage::Queued(target, _) = std::mem::replace(&mut self.stage, Stage::Done) {
                        self.looks_until = target.channel.look_until(now).filter(|_| self.may_look);
                        self.stage = Stage::Called(target, lane, sequence);
                    }
                }
                (Stage::Called(target, lane, sequence), Some(message)) => {
                    if let Some(until) = self.looks_until.take_if(|_| !is_late)
                        && target.channel.look_for_reply(*lane, until)
                    {
                        self.looks_until = Some(until);
                        waker.wake_by_ref();
                        return Poll::Pending;
                    }
                    let Poll::Ready(word) = target.channel.poll_reply(*lane, *sequence, waker) else {
                        break (&target.channel.pd, self.end, Error::DeadlineExceeded);
                    };
                    let word = word?;
                    message.clear();
                    let result = Channel::finish(&target.channel, *lane, word, message);
                    self.stage = Stage::Done;
                    return Poll::Ready(result);
                }
                (Stage::Done, _) | (_, None) => panic!("a call was polled after it was done"),
            }
        };
        match (&self.alarm, end) {
            _ if is_late => return Poll::Ready(Err(late)),
            (Some(alarm), _) => alarm.renew(waker),
            (None, Some(end)) => self.alarm = Some(pd.watcher()?.alarm(end, waker)),
            (None, None) => {}
        }
        Poll::Pending
    }

    /// Ends it wherever it is.
    fn cancel(&mut self) {
        (self.alarm, self.in_line) = (None, None);
        match (std::mem::replace(&mut self.stage, Stage::Done), &self.message) {
            (Stage::Queued(Target { channel, .. }, Some(place)), _) => channel.leave_line(place),
            (Stage::Called(Target { channel, .. }, lane, _), Some(message)) => channel.abandon(lane, message),
            _ => {}
        }
    }
}

impl Future for AsyncCall {
    type Output = Result<Box<MsgBuf>, Error>;

    /// Never blocks.
    ///
    /// # Panics
    /// If it is polled after it was done.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Poll::Ready(result) = this.advance(context.waker()) else { return Poll::Pending };
        this.cancel();
        let message = this.message.take();
        Poll::Ready(result.and_then(|()| message.ok_or(Error::Abandoned)))
    }
}

impl Drop for AsyncCall {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl std::fmt::Debug for AsyncCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.stage {
            Stage::New(_) => "AsyncCall(not sent)",
            Stage::Queued(..) => "AsyncCall(waits for a lane)",
            Stage::Called(..) => "AsyncCall(waits for the answer)",
            Stage::Done => "AsyncCall(done)",
        })
    }
}
