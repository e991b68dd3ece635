//! Two processes that call each other back to back, both awake, and look at what that costs.
//!
//! - `pair silent CALLS WHO`: both calling threads make themselves unable to make a system call: any kills their
//!   process. Then so many calls of each kind. `WHO` is `nobody`, or who breaks the silence: `client` or `server`.
//! - `pair submit COUNT STATE WHO`: the producer's thread makes itself unable to make a system call, then submits so many
//!   signals to a context of the other process, which is `stopped` or `awake`. `WHO` is `nobody`, or `client`.
//! - `pair frugal CALLS POLICY`: how often the two threads allocate in so many calls of each kind, one line a kind:
//!   what the client did, what the server did. In calls of the last kind each side wastes an allocation. `POLICY` is
//!   `spin` or `adaptive`.
//!
//! The status is 0, or 2 if the server was killed by its silence. The other process is this program as well.

use portcullis_ipc::{Capability, Deadline, Error, MsgBuf, Pd, PdOptions, Server, SignalLevel, WaitPolicy};
use portcullis_tests::cores::{first_core, last_core};
use portcullis_tests::counting_allocator::{CountingAllocator, allocations};
use portcullis_tests::resources::eventually;
use portcullis_tests::stopped::Stopped;
use portcullis_tests::watchdog::Watchdog;
use std::collections::VecDeque;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// What the server can be asked for.
const ECHO: u32 = 0;
const NEW_OBJECT: u32 = 1;
const BE_SILENT: u32 = 2;
const BREAK_SILENCE: u32 = 3;
const ALLOCATIONS: u32 = 4;
const WASTE: u32 = 5;
const NEW_CONTEXT: u32 = 6;

/// The kinds of calls: what is asked for, and with how many bytes.
const KINDS: [(u32, usize); 4] = [(ECHO, 0), (ECHO, 1_000), (NEW_OBJECT, 0), (WASTE, 0)];
/// Objects that live at once: with fewer calls than that, memory still grows.
const LIVING: usize = 256;
const WARM_UP: usize = 2_000;

/// How far the silent thread is. It cannot say so in any other way.
const AT_WORK: u8 = 0;
const DONE: u8 = 1;
const FAILED: u8 = 2;

fn main() -> Result<ExitCode, Error> {
    let _watchdog = Watchdog::start(Duration::from_secs(110));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", policy] => serve(policy).map(|()| ExitCode::SUCCESS),
        ["silent", calls, who] => silent(number(calls), who.to_owned()),
        ["submit", count, state, who] => submit(number(count), state == "stopped", who.to_owned()),
        ["frugal", calls, policy] => frugal(number(calls), policy).map(|()| ExitCode::SUCCESS),
        _ => Ok(ExitCode::FAILURE),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("a number of calls")
}

fn domain(policy: &str) -> Result<Pd, Error> {
    let wait = if policy == "spin" { WaitPolicy::Spin } else { WaitPolicy::Adaptive };
    Pd::with(PdOptions { wait, deadline: Deadline::After(Duration::from_secs(60)), ..PdOptions::default() })
}

/// Starts the other process.
fn other(pd: &Pd, policy: &str) -> Result<(portcullis_ipc::Child, Capability), Error> {
    let program = std::env::current_exe().map_err(|_| Error::NotSpawned)?;
    let mut command = Command::new(program);
    command.args(["serve", policy]);
    pd.spawn(command)
}

fn serve(policy: &str) -> Result<(), Error> {
    let mut server = Server::new(&domain(policy)?)?;
    let (first, _) = server.mint()?;
    server.serve_parent(first)?;
    let mut living = VecDeque::with_capacity(LIVING + 1);
    let (mut message, mut caller) = (MsgBuf::new(), None);
    last_core();
    loop {
        let request = match server.reply_and_wait(caller.take(), &mut message, Deadline::Never) {
            Err(Error::ParentGone) => return Ok(()),
            request => request?,
        };
        caller = Some(request.caller);
        match message.opcode() {
            NEW_OBJECT => {
                let (badge, capability) = server.mint()?;
                living.push_back(badge);
                if living.len() > LIVING {
                    living.drain(..1).for_each(|oldest| server.dissolve(oldest));
                }
                message.clear();
                message.push(capability)?;
            }
            NEW_CONTEXT => {
                message.clear();
                message.push(server.mint_context(SignalLevel::Application)?.1)?;
            }
            BE_SILENT => be_silent(),
            BREAK_SILENCE => drop(rustix::process::getppid()),
            ALLOCATIONS => {
                message.clear();
                message.write(&allocations().to_le_bytes())?;
            }
            WASTE => waste(),
            // The request is the answer.
            _ => {}
        }
    }
}

/// From now on any system call of this thread kills its process.
fn be_silent() {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
    let machine = std::env::consts::ARCH.try_into().expect("a machine with seccomp");
    // No rules: what happens is what happens otherwise.
    let filter = SeccompFilter::new([].into(), SeccompAction::KillProcess, SeccompAction::Allow, machine);
    let program: BpfProgram = filter.and_then(TryInto::try_into).expect("an empty filter is a filter");
    apply_filter(&program).expect("the kernel takes filters");
}

/// Allocates for nothing.
fn waste() {
    drop(std::hint::black_box(Box::new(0)));
}

/// One call of a kind, and whether the answer is what it should be.
#[inline]
fn call(
    object: &Capability,
    kind: (u32, usize),
    send: &mut MsgBuf,
    receive: &mut MsgBuf,
) -> Result<bool, Error> {
    const DATA: [u8; portcullis_ipc::MAX_DATA] = [7; portcullis_ipc::MAX_DATA];
    let (opcode, bytes) = kind;
    if opcode == WASTE {
        waste();
    }
    send.clear();
    send.set_method(opcode, 0);
    send.write(&DATA[..bytes])?;
    object.call(send, receive)?;
    Ok(receive.data() == send.data() && receive.capabilities() == usize::from(opcode == NEW_OBJECT))
}

/// So many calls of each kind; all the answers must be right.
fn all_kinds(object: &Capability, calls: usize) -> Result<bool, Error> {
    let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
    for kind in KINDS {
        for _ in 0..calls {
            if !call(object, kind, &mut send, &mut receive)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn silent(calls: usize, breaker: String) -> Result<ExitCode, Error> {
    let (mut child, object) = other(&domain("spin")?, "spin")?;
    let progress = Arc::new(AtomicU8::new(AT_WORK));
    let of_thread = progress.clone();
    std::thread::spawn(move || {
        let state = match silent_calls(&object, calls, &breaker) {
            Ok(true) => DONE,
            _ => FAILED,
        };
        of_thread.store(state, Ordering::Release);
        // The silent thread can neither end nor sleep; the process ends around it.
        loop {
            std::hint::spin_loop();
        }
    });
    while progress.load(Ordering::Acquire) == AT_WORK && child.try_wait()?.is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    if progress.load(Ordering::Acquire) == DONE && child.try_wait()?.is_none() {
        return Ok(ExitCode::SUCCESS);
    }
    // A server whose thread is dying is seen a moment later.
    let mut ended = None;
    eventually(|| {
        ended = child.try_wait().ok().flatten();
        ended.is_some()
    });
    let by_silence = ended.and_then(|status| status.signal()) == Some(rustix::process::Signal::SYS.as_raw());
    Ok(ExitCode::from(if by_silence { 2 } else { 1 }))
}

/// Submits to a process that cannot take anything, or takes everything at once.
fn submit(count: usize, stopped: bool, breaker: String) -> Result<ExitCode, Error> {
    let (child, object) = other(&domain("spin")?, "spin")?;
    let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
    send.set_method(NEW_CONTEXT, 0);
    object.call(&send, &mut receive)?;
    let context = receive.take(0).ok_or(Error::InvalidCapability)?;
    let stopped = stopped.then(|| Stopped::stop(child.id())).transpose()?;
    // Whoever is stopped may be rung for: once.
    context.submit();
    let progress = Arc::new(AtomicU8::new(AT_WORK));
    let of_thread = progress.clone();
    std::thread::spawn(move || {
        first_core();
        be_silent();
        (0..count).for_each(|_| context.submit());
        if breaker == "client" {
            let _ = rustix::process::getppid();
        }
        of_thread.store(DONE, Ordering::Release);
        // As above.
        loop {
            std::hint::spin_loop();
        }
    });
    while progress.load(Ordering::Acquire) == AT_WORK {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(stopped);
    Ok(ExitCode::SUCCESS)
}

fn silent_calls(object: &Capability, calls: usize, breaker: &str) -> Result<bool, Error> {
    first_core();
    let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
    // The first call of a thread draws a random number, and the heaps grow to what they need.
    if !all_kinds(object, WARM_UP)? || !call(object, (BE_SILENT, 0), &mut send, &mut receive)? {
        return Ok(false);
    }
    // Whoever is told that the server has died may make system calls.
    if breaker != "server" {
        be_silent();
    }
    if !all_kinds(object, calls)? {
        return Ok(false);
    }
    match breaker {
        "client" => drop(rustix::process::getppid()),
        "server" => drop(call(object, (BREAK_SILENCE, 0), &mut send, &mut receive)?),
        _ => {}
    }
    Ok(true)
}

fn frugal(calls: usize, policy: &str) -> Result<(), Error> {
    let (_child, object) = other(&domain(policy)?, policy)?;
    first_core();
    let (mut send, mut receive) = (MsgBuf::new(), MsgBuf::new());
    all_kinds(&object, WARM_UP)?;
    for kind in KINDS {
        let theirs = theirs(&object, &mut send, &mut receive)?;
        let ours = allocations();
        for _ in 0..calls {
            call(&object, kind, &mut send, &mut receive)?;
        }
        let ours = allocations() - ours;
        let theirs = self::theirs(&object, &mut send, &mut receive)? - theirs;
        // Whoever reads this sees to it that the lines are there.
        let _ = writeln!(std::io::stdout(), "{ours} {theirs}");
    }
    Ok(())
}

/// How often the server's thread has allocated.
fn theirs(object: &Capability, send: &mut MsgBuf, receive: &mut MsgBuf) -> Result<u64, Error> {
    call(object, (ALLOCATIONS, 0), send, receive)?;
    Ok(receive.data().try_into().map_or(0, u64::from_le_bytes))
}
