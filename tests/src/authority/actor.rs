//! An entrypoint that does what it is told with the capabilities it holds: create, call, hand on, drop, dissolve.

use super::op::{ACTORS, Failure, Object, Outcome};
use super::orders::{self, Method, Report, answer};
use crate::resources::Resources;
use crate::service::{bytes, words};
use portcullis_ipc::{Badge, Capability, Deadline, Error, MsgBuf, Pd, Refusal, Server};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

/// What an actor does wrong, so that it is seen that somebody would notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// It keeps each seventh capability that it should drop.
    Hoards,
    /// It does not dissolve each fifth object.
    Spares,
}

impl Fault {
    /// As an argument of a program.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fault::None => "none",
            Fault::Hoards => "hoards",
            Fault::Spares => "spares",
        }
    }

    /// The fault of that name.
    #[must_use]
    pub fn named(name: &str) -> Fault {
        let known = [Fault::Hoards, Fault::Spares];
        known.into_iter().find(|fault| fault.name() == name).unwrap_or_default()
    }
}

/// What one actor gives to another in the same process, without a message.
type Table = Arc<Mutex<HashMap<u64, Capability>>>;

struct Actor {
    server: Server,
    /// The object through which it gets its orders.
    first: Badge,
    objects: HashMap<Badge, u64>,
    kept: HashMap<u64, Capability>,
    /// The first objects of the actors on other threads, until they are fetched.
    others: VecDeque<Capability>,
    table: Table,
    fault: Fault,
    hoard: Vec<Capability>,
}

impl Actor {
    fn new(pd: &Pd, table: Table, fault: Fault) -> Result<(Actor, Capability), Error> {
        let mut server = Server::new(pd)?;
        let (first, capability) = server.mint()?;
        let actor = Actor {
            server,
            first,
            objects: HashMap::new(),
            kept: HashMap::new(),
            others: VecDeque::new(),
            table,
            fault,
            hoard: Vec::new(),
        };
        Ok((actor, capability))
    }

    /// Serves until the parent has ended.
    fn run(mut self) -> Result<(), Error> {
        let mut message = MsgBuf::new();
        loop {
            let request = match self.server.wait(&mut message, Deadline::Never) {
                Ok(request) => request,
                Err(Error::ParentGone) => return Ok(()),
                Err(error) => return Err(error),
            };
            let method = Method::decode(message.opcode().into())
                .filter(|method| method.is_everybodys() || request.badge == self.first);
            // Whoever does not get his answer was told why, or has ended.
            let _ = match method {
                Some(method) => {
                    self.serve(request.badge, method, &mut message)?;
                    self.server.reply(request.caller, &message)
                }
                None => self.server.refuse(request.caller, Refusal::UnknownMethod),
            };
            // What came or went is not held until the next call comes.
            message.clear();
        }
    }

    fn serve(&mut self, called: Badge, method: Method, message: &mut MsgBuf) -> Result<(), Error> {
        let words = words(message.data());
        let number = |place: usize| words.get(place).copied().unwrap_or(0);
        let outcome = match method {
            Method::Identify => self.number_of(called),
            Method::Dissolve => {
                let outcome = self.number_of(called);
                self.dissolve(called);
                outcome
            }
            Method::Take => {
                for (slot, number) in words.iter().enumerate() {
                    let Some(capability) = message.take(slot) else { break };
                    self.kept.insert(*number, capability);
                }
                Outcome::Done
            }
            Method::Hand => {
                let handed = self.kept.get(&number(0)).cloned();
                answer(message, &handed.as_ref().map_or_else(absent, |_| Outcome::Done))?;
                return handed.map_or(Ok(()), |handed| message.push(handed));
            }
            Method::Call => return self.call(&words, message),
            Method::Try => {
                let (send, mut receive) = (MsgBuf::new(), MsgBuf::new());
                let tried = message.take(0).map(|came| came.call(&send, &mut receive));
                match tried {
                    Some(Ok(())) => orders::outcome(receive.data()),
                    Some(Err(error)) => Outcome::Failed(error.into()),
                    None => absent(),
                }
            }
            Method::Create => {
                let (badge, capability) = self.server.mint()?;
                self.objects.insert(badge, number(0));
                self.kept.insert(number(1), capability);
                Outcome::Done
            }
            Method::Copy => match self.kept.get(&number(0)).cloned() {
                Some(copy) => {
                    self.kept.insert(number(1), copy);
                    Outcome::Done
                }
                None => absent(),
            },
            Method::Drop => {
                let dropped = self.kept.remove(&number(0));
                let there = dropped.is_some();
                let hoards = self.fault == Fault::Hoards && number(0) % 7 == 0;
                self.hoard.extend(dropped.filter(|_| hoards));
                if there { Outcome::Done } else { absent() }
            }
            Method::End => {
                let badge = self.objects.iter().find(|(_, object)| **object == number(0));
                match badge.map(|(badge, _)| *badge) {
                    Some(badge) => {
                        self.dissolve(badge);
                        Outcome::Done
                    }
                    None => absent(),
                }
            }
            Method::Clear => {
                self.kept.clear();
                self.objects.drain().for_each(|(badge, _)| self.server.dissolve(badge));
                Outcome::Done
            }
            Method::Report => {
                let (usage, resources) = (self.server.usage(), Resources::of_this_process());
                message.clear();
                return message.write(&bytes(
                    &Report {
                        channels: usage.channels.into(),
                        rows: usage.rows.into(),
                        objects: usage.objects.into(),
                        descriptors: resources.descriptors,
                        mappings: resources.mappings,
                    }
                    .encode(),
                ));
            }
            Method::Repeat => {
                let (count, rest) =
                    words.split_first().map_or((0, &words[..]), |(count, rest)| (*count, rest));
                let mut left = count;
                while left > 0 {
                    message.clear();
                    self.call(rest, message)?;
                    match orders::outcome(message.data()) {
                        // Somebody comes to it later than we do: that passes.
                        Outcome::Failed(Failure::Busy) => std::thread::yield_now(),
                        Outcome::Failed(_) => break,
                        _ => left -= 1,
                    }
                }
                return Ok(());
            }
            Method::Next => {
                answer(message, &Outcome::Done)?;
                return self.others.pop_front().map_or(Ok(()), |next| message.push(next));
            }
            Method::Lay => {
                let laid = self.kept.get(&number(0)).cloned();
                let there = laid.is_some();
                self.table().extend(laid.map(|laid| (number(1), laid)));
                if there { Outcome::Done } else { absent() }
            }
            Method::Lift => {
                let lifted = self.table().remove(&number(0));
                let there = lifted.is_some();
                self.kept.extend(lifted.map(|lifted| (number(0), lifted)));
                if there { Outcome::Done } else { absent() }
            }
        };
        answer(message, &outcome)
    }

    /// Calls what it holds, and passes on what comes of it.
    fn call(&mut self, words: &[u64], message: &mut MsgBuf) -> Result<(), Error> {
        let [target, keep, count, rest @ ..] = words else { return answer(message, &absent()) };
        let count = usize::try_from(*count).unwrap_or(usize::MAX);
        let Some((with, [method, rest @ ..])) = rest.split_at_checked(count) else {
            return answer(message, &absent());
        };
        let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
        send.set_method(u32::try_from(*method).unwrap_or(u32::MAX), 0);
        send.write(&bytes(rest))?;
        let with: Option<Vec<Capability>> =
            with.iter().map(|number| self.kept.get(number).cloned()).collect();
        let (Some(target), Some(with)) = (self.kept.get(target), with) else {
            return answer(message, &absent());
        };
        let came = (0..message.capabilities()).filter_map(|slot| message.take(slot));
        with.into_iter().chain(came).try_for_each(|capability| send.push(capability))?;
        if let Err(error) = target.call(&send, &mut receive) {
            return answer(message, &Outcome::Failed(error.into()));
        }
        message.clear();
        message.write(receive.data())?;
        let mut got = (0..receive.capabilities()).filter_map(|slot| receive.take(slot));
        if *keep != 0 {
            self.kept.extend(got.next().map(|got| (*keep, got)));
        }
        got.try_for_each(|got| message.push(got))
    }

    fn table(&self) -> MutexGuard<'_, HashMap<u64, Capability>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number_of(&self, called: Badge) -> Outcome {
        match self.objects.get(&called) {
            Some(number) => Outcome::Answered(Object(*number)),
            None => Outcome::Failed(Failure::Other("the call reached an object that is none".into())),
        }
    }

    fn dissolve(&mut self, badge: Badge) {
        let spared =
            self.fault == Fault::Spares && self.objects.get(&badge).is_some_and(|number| number % 5 == 0);
        if !spared {
            self.objects.remove(&badge);
            self.server.dissolve(badge);
        }
    }
}

fn absent() -> Outcome {
    Outcome::Failed(Failure::Other("there is no such thing".into()))
}

/// The whole program of a process with actors: the first serves the parent, each of the others has a thread of its own.
///
/// # Errors
/// What ends the first of them beside the parent's end.
///
/// # Panics
/// If the system has no room for a thread.
pub fn serve_parent(pd: &Pd, fault: Fault) -> Result<(), Error> {
    let table = Table::default();
    let (mut actor, _) = Actor::new(pd, table.clone(), fault)?;
    for _ in 1..ACTORS {
        let (to_us, from_thread) = mpsc::channel();
        let (pd, table) = (pd.clone(), table.clone());
        std::thread::spawn(move || {
            let (actor, first) = Actor::new(&pd, table, fault)?;
            // Nobody there any more: then the process ends.
            let _ = to_us.send(first);
            actor.run()
        });
        actor.others.extend(from_thread.recv());
    }
    let first = actor.first;
    actor.server.serve_parent(first)?;
    actor.run()
}
