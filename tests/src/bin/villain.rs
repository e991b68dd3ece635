//! Hostile processes, made of raw system calls. `villain serve` is a server that does what a script says, `villain
//! hold` a client that is in the middle of everything when it is killed. `villain exhaust NUMBER` has as many descriptors in
//! flight as its limit, that number, allows.

use portcullis_tests::villain::client::RawClient;
use portcullis_tests::villain::memory;
use portcullis_tests::villain::server::RawServer;
use portcullis_tests::villain::socket;
use portcullis_tests::villain::wire::{self, Kind, Row};
use portcullis_tests::villain::{random::Random, service};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let portal = memory::birth_socket();
    let ended = match std::env::args().nth(1).as_deref() {
        Some("serve") => RawServer::accept(portal).and_then(RawServer::serve),
        Some("deaf") => RawServer::accept(portal).map(|server| deaf(&server)),
        Some("exhaust") => exhaust(&portal),
        Some("hold") => RawClient::connect(portal).and_then(hold),
        _ => return ExitCode::from(2),
    };
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Takes all that is announced as soon as it is there, so that each submit rings; and listens to no doorbell, whose
/// descriptors it has made block.
fn deaf(server: &RawServer) {
    let descriptors = std::iter::once(&server.socket).chain(&server.bell);
    for descriptor in descriptors {
        rustix::io::ioctl_fionbio(descriptor, false).expect("it is open");
    }
    if let Some(bell) = &server.bell {
        // A page: the least that the system grants.
        rustix::pipe::fcntl_setpipe_size(bell, 4_096).expect("it is a pipe");
    }
    server.memory.store(wire::WATCHED, 0);
    loop {
        if server.memory.load(wire::PENDING) != 0 {
            server.memory.store(wire::PENDING, 0);
            server.memory.store(wire::SIGNALS, 0);
        } else {
            std::thread::yield_now();
        }
    }
}

/// Keeps all descriptors in flight that the system lets a process with such a limit have there, until its parent ends.
fn exhaust(parent: &OwnedFd) -> io::Result<()> {
    let limit = std::env::args().nth(2).and_then(|limit| limit.parse().ok());
    setrlimit(Resource::Nofile, Rlimit { current: limit, maximum: limit })?;
    let mut pairs = vec![socket::pair()?];
    let mut told = false;
    while !socket::closes(parent, Duration::from_millis(1)) {
        let (to, of) = pairs.last().expect("there is one");
        match socket::send(to, &[0], &[of.as_fd()]) {
            Ok(()) => {}
            // As long as the system counts fewer than the limit, only this socket is full.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => pairs.push(socket::pair()?),
            Err(_) if told => {}
            Err(_) => {
                socket::send(parent, &[0], &[])?;
                told = true;
            }
        }
    }
    Ok(())
}

/// Holds rows, portals, portals that no message asks for, and a call in every lane but the last; there it goes on
/// calling, until it is killed.
fn hold(mut client: RawClient) -> io::Result<()> {
    for _ in 0..4 {
        let _ = client.call(Row::FIRST, service::MINT, &[]);
        let _ = client.call(Row::FIRST, service::PORTALS, &[4]);
    }
    let _opened = client.open(Row::FIRST)?;
    let (spare, _other) = socket::pair()?;
    for lane in 0..wire::LANES - 1 {
        let state = client.fill(lane, Row::FIRST, service::HOLD, &[1; 100], &[(Kind::Portal, 0)]);
        client.send(&wire::portals(lane, state.sequence), &[spare.as_fd(); 1])?;
        client.publish(lane, state);
    }
    client.send(&wire::portals(wire::LANES - 1, u32::MAX), &[spare.as_fd(); 4])?;
    let mut random = Random::new(14);
    loop {
        let length = random.below(wire::MAX_DATA);
        let _ = client.call_in(wire::LANES - 1, Row::FIRST, service::ECHO, &vec![7; length], &[]);
    }
}
