//! One side of a packet stream in a process of its own. `stream ROLE ATTRIBUTES SUBMIT ACKNOWLEDGE BUFFER ...`; the
//! dataspace is its standard input. What it has counted it writes to its standard output, in one line.

use portcullis_packet_stream::{Control, Duplex, Error, Geometry, OperationSink, Signal, Sink, Source};
use portcullis_shm::{Attachment, ForeignDataspace, Window};
use portcullis_tests::cores::{first_core, last_core};
use portcullis_tests::counting_allocator::{CountingAllocator, allocations};
use portcullis_tests::stall::Stalls;
use portcullis_tests::stream::payload::{BlockOperation, UsbTransfer, VideoFrame};
use portcullis_tests::stream::raw::{Raw, region, words};
use portcullis_tests::stream::{Failure, Number, busy, devices, policy, received};
use portcullis_tests::watchdog::Watchdog;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Packets before a steady side is in its steady state.
const WARM_UP: Number = 2_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}: {error}", arguments.join(" "));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    let (role, arguments) = arguments.split_first().ok_or("a role is missing")?;
    let (dataspace, geometry) = received(arguments)?;
    let argument = |index: usize| arguments.get(4 + index).map_or("", String::as_str);
    let number = |index: usize| argument(index).parse::<Number>();
    let memory = || dataspace.attach(Window::new(0, geometry.bytes::<Number>()));
    match role.as_str() {
        "source" => {
            let mut source = Source::new(memory()?, geometry)?.with_wait_policy(policy(argument(1)));
            busy::source(&mut source, number(0)?, &mut Stalls::new(argument(2).parse()?))?;
            say(&[source.sent(Signal::PacketAvail), source.sent(Signal::ReadyToAck)])
        }
        "sink" => {
            let mut sink = Sink::new(memory()?, geometry)?.with_wait_policy(policy(argument(1)));
            busy::sink(&mut sink, number(0)?, &mut Stalls::new(argument(2).parse()?))?;
            say(&[sink.sent(Signal::ReadyToSubmit), sink.sent(Signal::AckAvail)])
        }
        "steady-source" => steady(number(0)?, argument(1), side_of_source(memory()?, geometry)?),
        "steady-sink" => steady(number(0)?, argument(1), side_of_sink(memory()?, geometry)?),
        "loopback" => loopback(&dataspace, geometry),
        "black-hole" => black_hole(&dataspace, geometry),
        "nic" | "disk" | "camera" | "bad-camera" | "usb" | "boasting-usb" => {
            say(&[device(role, &dataspace, geometry)?])
        }
        attack => villain(attack, geometry),
    }
}

fn say(numbers: &[u64]) -> Result<(), Failure> {
    let numbers: Vec<_> = numbers.iter().map(u64::to_string).collect();
    Ok(writeln!(std::io::stdout(), "{}", numbers.join(" "))?)
}

/// So many packets through one side.
type Steady = Box<dyn FnMut(Number) -> Result<(), Error> + Send>;

fn side_of_source(memory: Attachment, geometry: Geometry) -> Result<Steady, Error> {
    let mut source = Source::new(memory, geometry)?.with_wait_policy(policy("spin"));
    Ok(Box::new(move |packets| busy::steady_source(&mut source, packets)))
}

fn side_of_sink(memory: Attachment, geometry: Geometry) -> Result<Steady, Error> {
    let mut sink = Sink::new(memory, geometry)?.with_wait_policy(policy("spin"));
    Ok(Box::new(move |packets| busy::steady_sink(&mut sink, packets)))
}

const AT_WORK: u8 = 0;
const DONE: u8 = 1;
const FAILED: u8 = 2;
const WASTEFUL: u8 = 3;

/// Runs a side on a thread that may make no system call and should not allocate, once it is warm.
fn steady(packets: Number, breaker: &str, mut side: Steady) -> Result<(), Failure> {
    let _watchdog = Watchdog::start(Duration::from_secs(100));
    let (breaks, wastes) = (breaker == "break", breaker == "waste");
    let is_source = std::env::args().nth(1).is_some_and(|role| role == "steady-source");
    let progress = Arc::new(AtomicU8::new(AT_WORK));
    let of_thread = progress.clone();
    std::thread::spawn(move || {
        if is_source {
            first_core();
        } else {
            last_core();
        }
        let warm = side(WARM_UP);
        be_silent();
        let before = allocations();
        let went = warm.and_then(|()| side(packets));
        if breaks {
            let _ = rustix::process::getppid();
        }
        if wastes {
            drop(std::hint::black_box(Box::new(0)));
        }
        let state = match went {
            Ok(()) if allocations() == before => DONE,
            Ok(()) => WASTEFUL,
            Err(_) => FAILED,
        };
        of_thread.store(state, Ordering::Release);
        // The silent thread can neither end nor sleep; the process ends around it.
        loop {
            std::hint::spin_loop();
        }
    });
    while progress.load(Ordering::Acquire) == AT_WORK {
        std::thread::sleep(Duration::from_millis(1));
    }
    match progress.load(Ordering::Acquire) {
        DONE => say(&[0]),
        WASTEFUL => say(&[1]),
        _ => Err("the stream failed".into()),
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

fn second_end<D: Control>(dataspace: &ForeignDataspace, geometry: Geometry) -> Result<Duplex<D, D>, Failure> {
    let both = [geometry, geometry];
    let [out, back] = Duplex::<D, D>::windows(both);
    Ok(Duplex::second([dataspace.attach(out)?, dataspace.attach(back)?], both)?)
}

/// A device, until the other side ends; how many packets it has carried out.
fn device(role: &str, dataspace: &ForeignDataspace, geometry: Geometry) -> Result<u64, Failure> {
    let _watchdog = Watchdog::start(Duration::from_secs(100));
    let attach = |bytes| dataspace.attach(Window::new(0, bytes));
    let camera = || Source::new(attach(geometry.bytes::<VideoFrame>())?, geometry);
    let usb = || Sink::new(attach(geometry.bytes::<UsbTransfer>())?, geometry);
    match role {
        "nic" => devices::nic(second_end(dataspace, geometry)?),
        "disk" => {
            let sink = Sink::new(attach(geometry.bytes::<BlockOperation>())?, geometry)?;
            devices::disk(OperationSink::new(sink))
        }
        "camera" => devices::camera(camera()?, &devices::good_frames()),
        "bad-camera" => devices::camera(camera()?, &devices::bad_frames()),
        "usb" => devices::usb(usb()?, false),
        _ => devices::usb(usb()?, true),
    }
}

/// Sends back what it receives, until the other end ends.
fn loopback(dataspace: &ForeignDataspace, geometry: Geometry) -> Result<(), Failure> {
    let mut ends = second_end::<Number>(dataspace, geometry)?;
    let mut echoed = 0;
    loop {
        while let Ok(Some(acknowledged)) = ends.source.try_acknowledged() {
            ends.source.release(acknowledged.packet);
        }
        while ends.source.room()? != 0 {
            let Ok(packet) = ends.source.alloc(2_000) else { break };
            let received = match ends.sink.try_get() {
                Ok(Some(received)) => received,
                _ => {
                    ends.source.release(packet);
                    break;
                }
            };
            let mut packet = packet;
            packet.truncate(received.size());
            let copy = ends.sink.content(&received)?.view().to_vec()?;
            ends.source.content(&packet)?.copy_from(&copy)?;
            let number = received.control();
            ends.source.try_submit(packet, number)?;
            ends.sink.acknowledge(received, number, busy::PATIENCE)?;
            echoed += 1;
        }
        match ends.wakeup().and_then(|()| ends.wait(busy::PATIENCE)) {
            Ok(()) => {}
            Err(Error::Closed) => return say(&[echoed]),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Acknowledges everything and never sends anything.
fn black_hole(dataspace: &ForeignDataspace, geometry: Geometry) -> Result<(), Failure> {
    let mut ends = second_end::<Number>(dataspace, geometry)?;
    let mut swallowed = 0;
    loop {
        match ends.sink.get(busy::PATIENCE) {
            Ok(received) => {
                ends.sink.acknowledge(received, 0, busy::PATIENCE)?;
                swallowed += 1;
            }
            Err(Error::Closed) => return say(&[swallowed]),
            Err(error) => return Err(error.into()),
        }
    }
}

/// What each attack writes. Some go on until they are killed.
fn villain(attack: &str, geometry: Geometry) -> Result<(), Failure> {
    let _watchdog = Watchdog::start(Duration::from_secs(100));
    let file = std::os::fd::AsFd::as_fd(&std::io::stdin()).try_clone_to_owned()?;
    let raw = Raw::map(&file, geometry.submit(), geometry.acknowledge())?;
    match attack {
        "34-wrap" => raw.submit(region(u32::MAX - 63, 64), 0),
        "34-outside" => raw.submit(region(0, u32::MAX), 0),
        "35-jump" => raw.store(words::SUBMIT_PUT, 1_000),
        "35-back" => raw.store(words::SUBMIT_PUT, raw.load(words::SUBMIT_PUT).wrapping_sub(1)),
        "35-size" => raw.store(words::SUBMIT_PUT, u64::MAX / 2),
        // It flips between a good region and a bad one as fast as it can.
        "36" => {
            raw.submit(region(0, 64), 1);
            for flip in 0_u64.. {
                raw.store(words::SUBMIT, if flip % 2 == 0 { region(64, u32::MAX) } else { region(0, 64) });
            }
        }
        "37-never" => raw.acknowledge(region(4_032, 64), 0),
        "37-twice" => {
            let first = raw.first_submitted();
            raw.acknowledge(first, 0);
            raw.acknowledge(first, 0);
        }
        "37-altered" => raw.acknowledge(raw.first_submitted() + (1 << 32), 0),
        "38" => {
            raw.submit(region(0, 128), 0);
            raw.submit(region(64, 64), 0);
        }
        "21" | "40" => loop {
            raw.wake(words::SINK);
            raw.wake(words::SOURCE);
        },
        "garbage" => {
            let mut numbers = Stalls::new(7);
            // The page behind the content says whether the dataspace lives: not that.
            let end = (raw.len() - 512) as u64;
            loop {
                // The words of the protocol more often than the content.
                let among = if numbers.below(2) == 0 { 200 } else { end };
                let word = usize::try_from(numbers.below(among))?;
                raw.store(word, numbers.below(1 << 32) << numbers.below(40));
            }
        }
        other => return Err(format!("no such role: {other}").into()),
    }
    say(&[0])
}
