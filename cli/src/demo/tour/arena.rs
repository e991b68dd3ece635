//! What the intruder may attack, and what comes of the same outside of a sandbox.

use portcullis_examples::tour::{Attempt, Targets, intruder};
use std::io;
use std::net::TcpListener;
use std::process;

/// What is worth an attack: real, and within reach of every ordinary process of this user.
#[derive(Debug)]
pub(super) struct Arena {
    server: TcpListener,
}

impl Arena {
    pub(super) fn open() -> io::Result<Arena> {
        Ok(Arena { server: TcpListener::bind("127.0.0.1:0")? })
    }

    /// What the intruder is told: that component's process is one of it, or ours.
    pub(super) fn targets(&self, component: Option<u32>) -> Targets {
        Targets {
            file: "/etc/passwd".into(),
            address: self.server.local_addr().map(|address| address.to_string()).unwrap_or_default(),
            process: component.unwrap_or_else(process::id),
        }
    }

    /// What this very process, which nothing confines, gets by an attempt; `None` if it does not either, or could not be
    /// asked.
    pub(super) fn outside(&self, attempt: Attempt, component: Option<u32>) -> Option<String> {
        intruder::by_system(attempt, &self.targets(component)).ok()
    }
}

/// What is tried, in words.
pub(super) fn worded(attempt: Attempt) -> &'static str {
    match attempt {
        Attempt::File => "read a file",
        Attempt::Directory => "look around in the file system",
        Attempt::Network => "connect to a server on this machine",
        Attempt::Process => "signal the counter's process",
        Attempt::Memory => "look into the counter's memory",
        Attempt::Program => "run another program",
        Attempt::Session => "open a session of the counter",
        Attempt::Capability => "use its log as if it were the counter",
    }
}
