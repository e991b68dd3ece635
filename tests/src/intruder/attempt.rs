//! What a hostile component tries.

use super::{defiance, raw};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::FileExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::sync::{Arc, Mutex, OnceLock};

/// Something to try. Most take an argument, a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Attempt {
    /// `path`: opens a file and reads up to 64 bytes.
    Read,
    /// `path`: makes a file there.
    Create,
    /// `path`: opens a file that is there for writing.
    Overwrite,
    /// `path`: the names in a directory.
    List,
    /// `path`: asks whether there is such a file.
    Look,
    /// `path`: runs that program in its own place.
    Execute,
    /// `path`: opens a program, and runs it in its own place on a thread that is not its first.
    ExecuteOpen,
    /// `address`: connects by TCP.
    Tcp,
    /// `address`: sends a datagram.
    Udp,
    /// `name`: connects to an abstract socket.
    Abstract,
    /// `type`: makes a pair of UNIX sockets of that type.
    Pair,
    /// `process`: sends it a signal that does nothing.
    Signal,
    /// `process address`: reads its memory by `process_vm_readv`.
    Memory,
    /// `process address`: reads its memory by `/proc`.
    MemoryFile,
    /// `process`: traces it.
    Trace,
    /// `process descriptor`: takes a copy of its descriptor.
    Steal,
    /// Where its own secret lies; lets anybody trace it.
    Secret,
    /// The numbers of all descriptors that it has, with their kinds.
    Descriptors,
    /// The same, as it was when it began: before it opened anything itself.
    Born,
    /// Its environment.
    Environment,
    /// `flags`: makes a further process, in new namespaces.
    Fork,
    /// Starts a thread, and waits for its end.
    Thread,
    /// `count`: how many of so many threads can be there at once.
    Threads,
    /// `number argument ...`: makes this system call.
    Call,
    /// `bytes`: maps so much memory.
    Map,
    /// `bytes`: makes a file in memory of that size, of which nothing is touched.
    File,
    /// `bytes`: maps so much memory, and writes to all of it.
    Touch,
    /// `bytes`: writes that much to a file in memory.
    Fill,
    /// How many descriptors it can have more.
    Hoard,
    /// Its user id, as it sees it, and the privileges that it has.
    Identity,
    /// Gives up what a component gives up when it has begun.
    Harden,
    /// Whether it may be traced and dumped.
    Dumpable,
    /// Panics, within a thread, with a message to standard error.
    Panic,
    /// Goes on whatever becomes of its parent, from now on.
    Defy,
    /// As that; and its first thread ends, when it has answered.
    DefyWithoutLeader,
}

impl Attempt {
    const ALL: [Attempt; 35] = [
        Attempt::Read,
        Attempt::Create,
        Attempt::Overwrite,
        Attempt::List,
        Attempt::Look,
        Attempt::Execute,
        Attempt::ExecuteOpen,
        Attempt::Tcp,
        Attempt::Udp,
        Attempt::Abstract,
        Attempt::Pair,
        Attempt::Signal,
        Attempt::Memory,
        Attempt::MemoryFile,
        Attempt::Trace,
        Attempt::Steal,
        Attempt::Secret,
        Attempt::Descriptors,
        Attempt::Born,
        Attempt::Environment,
        Attempt::Fork,
        Attempt::Thread,
        Attempt::Threads,
        Attempt::Call,
        Attempt::Map,
        Attempt::File,
        Attempt::Touch,
        Attempt::Fill,
        Attempt::Hoard,
        Attempt::Identity,
        Attempt::Harden,
        Attempt::Dumpable,
        Attempt::Panic,
        Attempt::Defy,
        Attempt::DefyWithoutLeader,
    ];

    /// What is meant by a number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Attempt> {
        Attempt::ALL.into_iter().find(|attempt| *attempt as u32 == number)
    }

    /// Tries it. What came of it is a text.
    ///
    /// # Errors
    /// What the system said.
    ///
    /// # Panics
    /// If the argument is not as it should be.
    pub fn perform(self, argument: &str) -> io::Result<String> {
        match self {
            Attempt::Read => read(argument),
            Attempt::Create => OpenOptions::new().write(true).create_new(true).open(argument).map(done),
            Attempt::Overwrite => OpenOptions::new().write(true).open(argument).map(done),
            Attempt::List => {
                let names = fs::read_dir(argument)?
                    .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
                Ok(names.collect::<io::Result<Vec<_>>>()?.join(" "))
            }
            Attempt::Look => fs::symlink_metadata(argument).map(done),
            Attempt::Execute => Err(raw::execute(&CString::new(argument)?)),
            Attempt::ExecuteOpen => {
                let program = File::open(argument)?;
                let thread = std::thread::Builder::new().spawn(move || raw::execute_open(&program))?;
                Err(thread.join().expect("it does not panic"))
            }
            Attempt::Tcp => TcpStream::connect(argument).map(done),
            Attempt::Udp => UdpSocket::bind("127.0.0.1:0")?.send_to(b"hello", argument).map(done),
            Attempt::Abstract => {
                UnixStream::connect_addr(&SocketAddr::from_abstract_name(argument)?).map(done)
            }
            Attempt::Pair => {
                let kind = SocketType::from_raw(numbers(argument)[0].try_into().expect("a type of sockets"));
                let pair = rustix::net::socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None);
                Ok(pair.map(done)?)
            }
            Attempt::Signal => raw::call(libc::SYS_kill, first(argument, 0)).map(done),
            Attempt::Memory => {
                let numbers = numbers(argument);
                raw::read_memory(numbers[0], numbers[1]).map(text)
            }
            Attempt::MemoryFile => {
                let numbers = numbers(argument);
                let mut bytes = [0; 16];
                File::open(format!("/proc/{}/mem", numbers[0]))?
                    .read_exact_at(&mut bytes, numbers[1] as u64)?;
                Ok(text(bytes))
            }
            Attempt::Trace => raw::trace(numbers(argument)[0]).map(done),
            Attempt::Steal => {
                let numbers = numbers(argument);
                let process = raw::call(libc::SYS_pidfd_open, first(argument, 0))?;
                raw::call(libc::SYS_pidfd_getfd, [process, numbers[1], 0, 0, 0, 0]).map(done)
            }
            Attempt::Secret => {
                rustix::process::set_ptracer(rustix::process::PTracer::Any).ok();
                Ok(raw::secret().to_string())
            }
            Attempt::Descriptors => Ok(descriptors()),
            Attempt::Born => Ok(BORN_WITH.get().cloned().unwrap_or_default()),
            Attempt::Environment => {
                let variables = std::env::vars_os();
                Ok(variables
                    .map(|(name, _)| name.to_string_lossy().into_owned())
                    .collect::<Vec<_>>()
                    .join(" "))
            }
            Attempt::Fork => raw::fork(numbers(argument)[0]).map(done),
            Attempt::Thread => {
                let thread = std::thread::Builder::new().spawn(|| 7)?;
                Ok(thread.join().expect("it does not panic").to_string())
            }
            Attempt::Threads => {
                let barrier = Arc::new(Mutex::new(()));
                let held = barrier.lock();
                let wait = || {
                    let barrier = barrier.clone();
                    std::thread::Builder::new().spawn(move || drop(barrier.lock())).ok()
                };
                let threads: Vec<_> = (0..numbers(argument)[0]).map_while(|_| wait()).collect();
                drop(held);
                let count = threads.len().to_string();
                threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
                Ok(count)
            }
            Attempt::Call => {
                let all = numbers(argument);
                let mut arguments = [0; 6];
                arguments.iter_mut().zip(all.iter().skip(1)).for_each(|(to, from)| *to = *from);
                raw::call(all[0].try_into().expect("a system call"), arguments)
                    .map(|answer| answer.to_string())
            }
            Attempt::Map => raw::map(numbers(argument)[0]).map(done),
            Attempt::File => {
                let file = rustix::fs::memfd_create(c"intruder", rustix::fs::MemfdFlags::CLOEXEC)?;
                Ok(rustix::fs::ftruncate(&file, numbers(argument)[0] as u64).map(done)?)
            }
            Attempt::Touch => {
                let touched = std::hint::black_box(vec![1_u8; numbers(argument)[0]]);
                Ok(touched.len().to_string())
            }
            Attempt::Fill => {
                let file = rustix::fs::memfd_create(c"intruder", rustix::fs::MemfdFlags::CLOEXEC)?;
                let (file, block) = (File::from(file), [1; 1 << 16]);
                (0..numbers(argument)[0]).step_by(block.len()).try_for_each(|_| (&file).write_all(&block))?;
                Ok(file.metadata()?.len().to_string())
            }
            Attempt::Hoard => {
                let mut hoard = Vec::new();
                while let Ok(one) = rustix::io::dup(io::stdin()) {
                    hoard.push(one);
                }
                Ok(hoard.len().to_string())
            }
            Attempt::Identity => {
                let privileges = rustix::thread::capabilities(None)?.permitted;
                Ok(format!("{} {}", rustix::process::getuid().as_raw(), privileges.bits()))
            }
            Attempt::Harden => portcullis_component::sandbox::harden().map(done).map_err(io::Error::other),
            Attempt::Dumpable => Ok(format!("{:?}", rustix::process::dumpable_behavior()?)),
            Attempt::Panic => {
                // As `print` does, but for its panic if that fails.
                io::stdout().write_all(b"to standard output")?;
                let panicked = std::thread::spawn(|| panic!("to standard error")).join();
                Ok(panicked.is_err().to_string())
            }
            Attempt::Defy | Attempt::DefyWithoutLeader => {
                defiance::begin(self == Attempt::DefyWithoutLeader).map(done)
            }
        }
    }
}

static BORN_WITH: OnceLock<String> = OnceLock::new();

/// Notes with which descriptors this process began.
pub fn begin() {
    BORN_WITH.get_or_init(descriptors);
}

fn read(path: &str) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(64).read_to_end(&mut bytes)?;
    Ok(text(bytes))
}

/// All descriptors, with what they are.
fn descriptors() -> String {
    const MOST: RawFd = 4096;
    let kind = |number: RawFd| {
        let descriptor = alleged(number);
        rustix::io::fcntl_getfd(descriptor).ok()?;
        let kind =
            rustix::fs::fstat(descriptor).map(|about| rustix::fs::FileType::from_raw_mode(about.st_mode));
        Some(format!("{number}:{:?}", kind.ok()?))
    };
    (0..MOST).filter_map(kind).collect::<Vec<_>>().join(" ")
}

#[allow(unsafe_code)]
fn alleged(number: RawFd) -> BorrowedFd<'static> {
    debug_assert!(io::stdin().as_raw_fd() == 0);
    // SAFETY: used at once, for two calls that answer EBADF if there is no such descriptor.
    unsafe { BorrowedFd::borrow_raw(number) }
}

fn numbers(argument: &str) -> Vec<usize> {
    argument.split_whitespace().map(|word| word.parse().expect("a number")).collect()
}

/// The first number of the argument, and another one.
fn first(argument: &str, second: usize) -> [usize; 6] {
    [numbers(argument)[0], second, 0, 0, 0, 0]
}

fn done<T>(_: T) -> String {
    "done".into()
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(bytes.as_ref()).into_owned()
}
