//! The unmodified processes that villains attack, and the honest bystander: `victim serve` and `victim bystand`.

use portcullis_ipc::{
    Badge, Caller, Capability, Deadline, Error, Event, Limits, MsgBuf, Pd, PdOptions, Server, SignalLevel,
    WaitPolicy,
};
use portcullis_packet_stream::Sink;
use portcullis_shm::Window;
use portcullis_tests::bystander::{Bystander, Report};
use portcullis_tests::confinement::{forbid_asking_strangers, forbid_owned_futexes};
use portcullis_tests::stream::turns::Turns;
use portcullis_tests::stream::{Number, received};
use portcullis_tests::villain::client::PATIENCE;
use portcullis_tests::villain::service::{self, Census};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let stream = match arguments.get(1).map(String::as_str) {
        Some("stream") => Some(&arguments[2..]),
        _ => None,
    };
    let wait = match arguments.get(1).map(String::as_str) {
        Some("block") => WaitPolicy::Block,
        _ => WaitPolicy::Adaptive,
    };
    let ended = match arguments.first().map(String::as_str) {
        Some("serve") => serve(wait, stream),
        Some("bystand") => bystand(),
        _ => return ExitCode::from(2),
    };
    match ended {
        Err(Error::ParentGone) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// A server whose objects do what [`service`] says; it ends with its parent. It may be the sink of a stream.
fn serve(wait: WaitPolicy, stream: Option<&[String]>) -> Result<(), Error> {
    let pd = Pd::with(PdOptions { wait, ..PdOptions::default() })?;
    let mut server = Server::with(&pd, Limits { portals: 2_000, channels: 2_048, ..Limits::default() })?;
    server.serve_parent(server.badge())?;
    let stream = stream.map(|arguments| sink(&mut server, arguments)).transpose()?;
    let mut service = Service {
        elsewhere: elsewhere()?,
        kept: Vec::new(),
        held: Vec::new(),
        pokes: 0,
        contexts: Vec::new(),
        stream,
    };
    let mut message = MsgBuf::new();
    let mut caller = None;
    loop {
        // What is wrong with an answer is told to its client.
        let _ = caller.take().map(|caller| server.reply(caller, &message));
        let request = match server.next(&mut message, Deadline::Never)? {
            Event::Call(request) => request,
            Event::Signal(context) => {
                service.signal(context);
                continue;
            }
            Event::Woken | Event::Unreferenced(_) => continue,
        };
        caller = service.answer(&mut server, request.badge, request.caller, &mut message)?;
    }
}

struct Service {
    /// An object of another entrypoint of this process: it can leave only as a portal.
    elsewhere: Capability,
    kept: Vec<Capability>,
    held: Vec<(Caller, Vec<u8>)>,
    pokes: u32,
    /// The signal contexts, and how often the handler of each has run.
    contexts: Vec<(Badge, u32)>,
    stream: Option<Stream>,
}

/// The sink of a stream.
struct Stream {
    badge: Badge,
    context: Capability,
    turns: Turns,
}

impl Service {
    /// The handler of a signal.
    fn signal(&mut self, context: Badge) {
        if let Some(stream) = self.stream.as_mut().filter(|stream| stream.badge == context) {
            return stream.turns.run();
        }
        let known = self.contexts.iter_mut().find(|known| known.0 == context);
        known.expect("only contexts have signals").1 += 1;
    }

    /// Makes the message the answer; no caller if it is to be answered later.
    fn answer(
        &mut self,
        server: &mut Server,
        badge: Badge,
        caller: Caller,
        message: &mut MsgBuf,
    ) -> Result<Option<Caller>, Error> {
        let mut answer = MsgBuf::new();
        match message.opcode() {
            service::ECHO => answer.write(message.data())?,
            service::MINT => answer.push(server.mint()?.1)?,
            service::DISSOLVE => server.dissolve(badge),
            service::POKE => self.pokes += 1,
            service::HOLD => {
                self.held.push((caller, message.data().to_vec()));
                return Ok(None);
            }
            service::ANSWER_ALL => {
                for (caller, data) in self.held.drain(..) {
                    let mut late = MsgBuf::new();
                    late.write(&data)?;
                    let _ = server.reply(caller, &late);
                }
            }
            service::CENSUS => answer.write(&self.census(server).encode())?,
            service::PORTALS => {
                for _ in 0..message.data().first().copied().unwrap_or_default().min(4) {
                    answer.push(self.elsewhere.clone())?;
                }
            }
            service::READ_TWICE => answer.write(&[u8::from(reads_alike(message))])?,
            service::KEEP => self.kept.extend((0..4).filter_map(|slot| message.take(slot))),
            service::LET_GO => self.kept.clear(),
            service::CALL_BACK => {
                let within = Deadline::After(Duration::from_millis(100));
                let called =
                    message.take(0).map(|it| it.call_with(&MsgBuf::new(), &mut MsgBuf::new(), within));
                answer.write(&[u8::from(matches!(called, Some(Ok(()))))])?;
            }
            service::CONFINE => answer.write(&[u8::from(forbid_owned_futexes().is_ok())])?,
            service::ASK_NOBODY => answer.write(&[u8::from(forbid_asking_strangers().is_ok())])?,
            service::CONTEXT => {
                let (badge, context) = server.mint_context(SignalLevel::default())?;
                self.contexts.push((badge, 0));
                answer.push(context)?;
            }
            service::RUNS => {
                let runs = self.contexts.iter().take(200).flat_map(|context| context.1.to_le_bytes());
                answer.write(&runs.collect::<Vec<u8>>())?;
            }
            service::STREAM => {
                self.stream.iter().try_for_each(|stream| answer.push(stream.context.clone()))?;
            }
            service::TURNS => {
                let turns = self.stream.iter().map(|stream| [stream.turns.packets, stream.turns.most]);
                answer.write(&turns.flatten().flat_map(u64::to_le_bytes).collect::<Vec<u8>>())?;
            }
            service::END => {
                let ended = message.take(0).and_then(|capability| server.badge_of(&capability));
                ended.into_iter().for_each(|badge| server.dissolve(badge));
            }
            _ => answer.write(b"no such method")?,
        }
        *message = answer;
        Ok(Some(caller))
    }

    fn census(&self, server: &Server) -> Census {
        let usage = server.usage();
        Census {
            channels: usage.channels,
            rows: usage.rows,
            objects: usage.objects,
            pokes: self.pokes,
            held: u32::try_from(self.held.len()).unwrap_or(u32::MAX),
        }
    }
}

/// The sink of the stream whose dataspace is our standard input, and a context for its handler.
fn sink(server: &mut Server, arguments: &[String]) -> Result<Stream, Error> {
    let (badge, context) = server.mint_context(SignalLevel::default())?;
    let (dataspace, geometry) = received(arguments).expect("the test has made a stream");
    let window = Window::new(0, geometry.bytes::<Number>());
    let memory = dataspace.attach(window).expect("it is as long as that");
    let sink = Sink::new(memory, geometry).expect("it is new");
    // The source may have begun before there was anybody to tell.
    context.submit();
    Ok(Stream { badge, turns: Turns::new(sink, context.clone()), context })
}

/// Whether two readings of the arguments, 20 µs apart, agree.
fn reads_alike(message: &MsgBuf) -> bool {
    let read = || {
        let mut hasher = DefaultHasher::new();
        (message.data(), message.capabilities()).hash(&mut hasher);
        hasher.finish()
    };
    let first = read();
    let started = Instant::now();
    while started.elapsed() < Duration::from_micros(20) {
        std::hint::spin_loop();
    }
    first == read() && message.data().len() <= portcullis_ipc::MAX_DATA
}

/// The capability of a second entrypoint, which runs for as long as the process.
fn elsewhere() -> Result<Capability, Error> {
    let (to_main, from_thread) = std::sync::mpsc::channel();
    std::thread::spawn(move || -> Result<(), Error> {
        let mut server = Server::new(&Pd::new()?)?;
        let _ = to_main.send(server.capability());
        let mut message = MsgBuf::new();
        let mut caller = None;
        loop {
            caller = Some(server.reply_and_wait(caller, &mut message, Deadline::Never)?.caller);
        }
    });
    from_thread.recv().map_err(|_| Error::Disconnected)
}

/// Calls what it is told to, until its parent ends.
fn bystand() -> Result<(), Error> {
    let pd = Pd::with(PdOptions { deadline: Deadline::After(PATIENCE / 2), ..PdOptions::default() })?;
    let mut server = Server::new(&pd)?;
    server.serve_parent(server.badge())?;
    let mut message = MsgBuf::new();
    let mut caller = None;
    let mut bystander = None;
    loop {
        let request = server.reply_and_wait(caller.take(), &mut message, Deadline::Never)?;
        match message.opcode() {
            service::WATCH => bystander = message.take(0).map(Bystander::start),
            service::REPORT => {
                let report = bystander.as_ref().map_or_else(Report::default, Bystander::report);
                message.clear();
                message.write(&report.encode())?;
            }
            service::CONFINE => {
                message.clear();
                message.write(&[u8::from(forbid_owned_futexes().is_ok())])?;
            }
            _ => {}
        }
        caller = Some(request.caller);
    }
}
