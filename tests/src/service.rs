//! What a well-behaved peer does when it is asked: serve, and be a client of others on request.

use crate::executor::block_on;
use crate::resources::Resources;
use portcullis_ipc::{Badge, Caller, Capability, Deadline, Error, MsgBuf, Pd, Refusal, Request, Server};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::collections::VecDeque;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What a peer can be asked for. Numbers in requests and answers are words of 8 bytes, little endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// The request itself: data and capabilities.
    Echo,
    /// `[count]`: so many new objects, all of which do what the first one does.
    NewObjects,
    /// The slot of the called object, and 1 if it is the server itself.
    Name,
    /// The server's own capability.
    Own,
    /// See [`Report`](crate::remote::Report).
    Report,
    /// With a capability: 1 and the object's slot if it is one of ours, else 0.
    IsMine,
    /// With a capability: dissolves the object if it is one of ours, and answers whether it was.
    Dissolve,
    /// Keeps the capabilities that came; answers the number of the first.
    Keep,
    /// `[number]`: a kept capability, if it is there.
    Give,
    /// `[number]`: drops a kept capability.
    Drop,
    /// `[number, opcode, microseconds, ...]`: calls a kept capability with the rest of the words and all capabilities that
    /// came, with that deadline (0: never). The answer is as [`Nested`](crate::remote::Nested) decodes it.
    CallKept,
    /// The same by a task, which the server's own thread runs until it is done.
    CallKeptAsTask,
    /// What came of the last such call, whether or not its own caller had waited for it.
    LastNested,
    /// As [`CallKept`](Op::CallKept), on a thread of its own; answers at once.
    CallInBackground,
    /// The same by a task, which that thread runs.
    CallInBackgroundAsTask,
    /// What came of the oldest call in the background, as for [`CallKept`](Op::CallKept); waits for it.
    Join,
    /// `[count]`: from now on its process may hold so many descriptors.
    LimitDescriptors,
    /// Does not answer until told to.
    Hold,
    /// `[place]`: answers the caller at that place among those who are held, with the rest of the words and all
    /// capabilities that came. Answers whether the caller was still there.
    AnswerHeld,
    /// `[place]`: drops that caller.
    DropHeld,
    /// All that the server was handed with the request, as text.
    Seen,
    /// Answers out of a second buffer.
    TwoBuffers,
    /// What the first buffer held after the second was sent.
    FirstBuffer,
    /// Tries to answer with 1,025 bytes, then with 5 capabilities; answers the two errors as text.
    Overfill,
    /// Answers a new object, and one dissolved just before.
    GrantDissolved,
    /// `[microseconds]`: waits for a call with that deadline while this one is open; answers whether the deadline
    /// was met, and after how many microseconds. Whoever calls meanwhile is held.
    WaitUntil,
    /// `[microseconds]`: does nothing for so long.
    Work,
    /// Ends the service after the answer.
    Stop,
}

impl Op {
    const ALL: [Op; 28] = [
        Op::Echo,
        Op::NewObjects,
        Op::Name,
        Op::Own,
        Op::Report,
        Op::IsMine,
        Op::Dissolve,
        Op::Keep,
        Op::Give,
        Op::Drop,
        Op::CallKept,
        Op::CallKeptAsTask,
        Op::LastNested,
        Op::CallInBackground,
        Op::CallInBackgroundAsTask,
        Op::Join,
        Op::LimitDescriptors,
        Op::Hold,
        Op::AnswerHeld,
        Op::DropHeld,
        Op::Seen,
        Op::TwoBuffers,
        Op::FirstBuffer,
        Op::Overfill,
        Op::GrantDissolved,
        Op::WaitUntil,
        Op::Work,
        Op::Stop,
    ];

    fn decode(opcode: u32) -> Option<Op> {
        Op::ALL.get(opcode as usize).copied()
    }
}

/// A peer at work.
#[derive(Debug)]
pub struct Service {
    server: Server,
    kept: Vec<Option<Capability>>,
    background: VecDeque<JoinHandle<Vec<u8>>>,
    held: VecDeque<Caller>,
    first_buffer: Vec<u8>,
    last_nested: Vec<u8>,
    requests: u64,
    stopped: bool,
}

impl Service {
    /// The service of that server: all its objects do the same.
    #[must_use]
    pub fn new(server: Server) -> Service {
        Service {
            server,
            kept: Vec::new(),
            background: VecDeque::new(),
            held: VecDeque::new(),
            first_buffer: Vec::new(),
            last_nested: Vec::new(),
            requests: 0,
            stopped: false,
        }
    }

    /// Serves until it is told to stop or its parent has ended.
    ///
    /// # Errors
    /// What the server's `wait` answers, other than the end of the parent.
    pub fn run(mut self) -> Result<(), Error> {
        let mut message = MsgBuf::new();
        let mut caller = None;
        while !self.stopped {
            let Request { badge, caller: next } =
                match self.server.reply_and_wait(caller.take(), &mut message, Deadline::Never) {
                    Ok(request) => request,
                    Err(Error::ParentGone) => return Ok(()),
                    // The caller was told the same.
                    Err(Error::BudgetExceeded | Error::InvalidCapability | Error::Busy) => continue,
                    Err(error) => return Err(error),
                };
            self.requests += 1;
            caller = self.handle(badge, next, &mut message)?;
        }
        match caller {
            Some(caller) => self.server.reply(caller, &message),
            None => Ok(()),
        }
    }

    /// Does what is asked for. `message` becomes the answer for the caller, if that is to have one now.
    fn handle(
        &mut self,
        badge: Badge,
        caller: Caller,
        message: &mut MsgBuf,
    ) -> Result<Option<Caller>, Error> {
        let words = words(message.data());
        let number = |place: usize| words.get(place).copied().unwrap_or(0);
        let Some(op) = Op::decode(message.opcode()) else {
            // Its client has gone: so has the question.
            let _ = self.server.refuse(caller, Refusal::UnknownMethod);
            return Ok(None);
        };
        match op {
            Op::Echo => {
                let arrived: Vec<_> = (0..message.capabilities()).map(|slot| message.take(slot)).collect();
                let data = message.data().to_vec();
                message.clear();
                message.write(&data)?;
                arrived.into_iter().flatten().try_for_each(|capability| message.push(capability))?;
            }
            Op::NewObjects => {
                message.clear();
                for _ in 0..number(0) {
                    message.push(self.server.mint()?.1)?;
                }
            }
            Op::Name => {
                answer(message, &[badge.slot() as u64, u64::from(badge == self.server.badge())])?;
            }
            Op::Own => {
                message.clear();
                message.push(self.server.capability())?;
            }
            Op::Report => self.report(message)?,
            Op::IsMine => {
                let mine = message.take(0).and_then(|capability| self.server.badge_of(&capability));
                answer(message, &mine.map_or(vec![0], |badge| vec![1, badge.slot() as u64]))?;
            }
            Op::Dissolve => {
                let mine = message.take(0).and_then(|capability| self.server.badge_of(&capability));
                mine.iter().for_each(|badge| self.server.dissolve(*badge));
                answer(message, &[u64::from(mine.is_some())])?;
            }
            Op::Keep => {
                let first = self.kept.len() as u64;
                self.kept.extend((0..message.capabilities()).map(|slot| message.take(slot)));
                answer(message, &[first])?;
            }
            Op::Give => {
                let kept = self.kept(number(0));
                message.clear();
                kept.into_iter().try_for_each(|kept| message.push(kept))?;
            }
            Op::Drop => {
                self.kept.get_mut(index(number(0))).map(Option::take);
                answer(message, &[])?;
            }
            Op::CallKept | Op::CallKeptAsTask => {
                let kept = self.kept(number(0));
                let passed: Vec<_> =
                    (0..message.capabilities()).filter_map(|slot| message.take(slot)).collect();
                self.last_nested = call(kept, &words, passed, op == Op::CallKeptAsTask);
                message.clear();
                message.write(&self.last_nested)?;
            }
            Op::LastNested => {
                message.clear();
                message.write(&self.last_nested)?;
            }
            Op::CallInBackground | Op::CallInBackgroundAsTask => {
                let (kept, as_task) = (self.kept(number(0)), op == Op::CallInBackgroundAsTask);
                self.background
                    .push_back(std::thread::spawn(move || call(kept, &words, Vec::new(), as_task)));
                answer(message, &[])?;
            }
            Op::Join => {
                let oldest = self.background.pop_front().and_then(|thread| thread.join().ok());
                message.clear();
                message.write(&oldest.unwrap_or_default())?;
            }
            Op::LimitDescriptors => {
                let most = getrlimit(Resource::Nofile).maximum;
                let limits = Rlimit { current: Some(number(0)), maximum: most };
                answer(message, &[u64::from(setrlimit(Resource::Nofile, limits).is_ok())])?;
            }
            Op::Hold => {
                self.held.push_back(caller);
                return Ok(None);
            }
            Op::AnswerHeld => {
                let held = self.held.remove(index(number(0)));
                let mut late = MsgBuf::new();
                late.write(&bytes(words.get(1..).unwrap_or_default()))?;
                (0..message.capabilities())
                    .filter_map(|slot| message.take(slot))
                    .try_for_each(|capability| late.push(capability))?;
                let there = held.is_some_and(|held| self.server.reply(held, &late).is_ok());
                answer(message, &[u64::from(there)])?;
            }
            Op::DropHeld => {
                drop(self.held.remove(index(number(0))));
                answer(message, &[])?;
            }
            Op::Seen => {
                let request = Request { badge, caller };
                let seen = format!("{request:?} {message:?} {:?}", message.data());
                message.clear();
                message.write(seen.as_bytes())?;
                return Ok(Some(request.caller));
            }
            Op::TwoBuffers => {
                let mut second = MsgBuf::new();
                second.write(b"out of the second buffer")?;
                self.server.reply(caller, &second)?;
                self.first_buffer = message.data().to_vec();
                return Ok(None);
            }
            Op::FirstBuffer => {
                message.clear();
                message.write(&self.first_buffer)?;
            }
            Op::Overfill => self.overfill(message)?,
            Op::GrantDissolved => {
                message.clear();
                let (badge, dissolved) = self.server.mint()?;
                self.server.dissolve(badge);
                message.push(self.server.mint()?.1)?;
                message.push(dissolved)?;
            }
            Op::WaitUntil => {
                let (start, time) = (Instant::now(), Duration::from_micros(number(0)));
                let result = self.server.wait(message, Deadline::After(time));
                let met = matches!(result, Err(Error::DeadlineExceeded));
                self.held.extend(result.ok().map(|request| request.caller));
                answer(message, &[u64::from(met), micros(start.elapsed())])?;
            }
            Op::Work => {
                std::thread::sleep(Duration::from_micros(number(0)));
                answer(message, &[])?;
            }
            Op::Stop => {
                self.stopped = true;
                answer(message, &[])?;
            }
        }
        Ok(Some(caller))
    }

    fn kept(&self, number: u64) -> Option<Capability> {
        self.kept.get(index(number)).cloned().flatten()
    }

    fn report(&self, message: &mut MsgBuf) -> Result<(), Error> {
        let (usage, resources) = (self.server.usage(), Resources::of_this_process());
        answer(
            message,
            &[
                usage.channels.into(),
                usage.rows.into(),
                usage.objects.into(),
                self.requests,
                self.held.len() as u64,
                resources.descriptors,
                resources.mappings,
                resources.resident_kib,
            ],
        )
    }

    fn overfill(&mut self, message: &mut MsgBuf) -> Result<(), Error> {
        message.clear();
        let too_long = message.write(&[0; portcullis_ipc::MAX_DATA + 1]);
        let too_many =
            (0..=portcullis_ipc::MAX_CAPABILITIES).try_for_each(|_| message.push(self.server.capability()));
        message.clear();
        message.write(format!("{too_long:?} {too_many:?}").as_bytes())
    }
}

/// Calls a kept capability as the words say.
fn call(kept: Option<Capability>, words: &[u64], passed: Vec<Capability>, as_task: bool) -> Vec<u8> {
    let (mut send, mut receive) = (Box::new(MsgBuf::new()), Box::new(MsgBuf::new()));
    let Some(capability) = kept else { return nested(Duration::ZERO, b"there is no such capability", false) };
    let (opcode, micros) = (words.get(1).copied().unwrap_or(0), words.get(2).copied().unwrap_or(0));
    let deadline = match micros {
        0 => Deadline::Never,
        micros => Deadline::After(Duration::from_micros(micros)),
    };
    send.set_method(opcode.try_into().unwrap_or(u32::MAX), 0);
    let start = Instant::now();
    let written = send.write(&bytes(words.get(3..).unwrap_or_default()));
    let written = written.and_then(|()| passed.into_iter().try_for_each(|capability| send.push(capability)));
    let result = written.and_then(|()| match as_task {
        true => block_on(capability.call_async_with(send, deadline)),
        false => capability.call_with(&send, &mut receive, deadline).map(|()| receive),
    });
    match result {
        Ok(receive) => nested(start.elapsed(), receive.data(), true),
        Err(error) => nested(start.elapsed(), format!("{error:?}").as_bytes(), false),
    }
}

fn nested(time: Duration, data: &[u8], good: bool) -> Vec<u8> {
    [bytes(&[u64::from(good), micros(time)]).as_slice(), data].concat()
}

/// A time as it stands in a message.
#[must_use]
pub fn micros(time: Duration) -> u64 {
    time.as_micros().try_into().unwrap_or(u64::MAX)
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn answer(message: &mut MsgBuf, words: &[u64]) -> Result<(), Error> {
    message.clear();
    message.write(&bytes(words))
}

/// Words as they stand in a message.
#[must_use]
pub fn bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The whole words of a message's data.
#[must_use]
pub fn words(data: &[u8]) -> Vec<u64> {
    data.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect()
}

/// Makes a server on the calling thread and serves with it until the parent has ended.
///
/// # Errors
/// As [`Service::run`], and if the system refuses what a server needs.
pub fn serve_parent(pd: &Pd, limits: portcullis_ipc::Limits) -> Result<(), Error> {
    let mut server = Server::with(pd, limits)?;
    let (badge, _) = server.mint()?;
    server.serve_parent(badge)?;
    Service::new(server).run()
}
