//! Servers whose every answer is to try once more.

use super::COMPONENT;
use portcullis_component::Error;
use portcullis_rpc as rpc;
use portcullis_sessions::rom::RomConnection;
use portcullis_sessions::terminal::TerminalConnection;
use portcullis_shm::RamQuota;
use portcullis_tests::tree::{EACH, Tree};
use portcullis_tests::watchdog::Watchdog;
use std::time::Duration;

/// A tree whose ROMs and terminals are such a server's.
fn tree() -> Tree {
    let tree = Tree::new();
    tree.start(COMPONENT, "board", "stubborn", EACH);
    tree.start(COMPONENT, "terminal", "stubborn", EACH);
    tree
}

/// Each call is answered in time, so that no deadline ends it.
#[test]
fn a_rom_for_which_no_donation_is_enough_is_an_error() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    tree().drive(|env| {
        let mut rom = RomConnection::new(env, "config").expect("it is served");
        let before = env.budget();
        assert_eq!(rom.newest(), Err(Error::InsufficientRamQuota { missing: RamQuota::default() }));
        assert_eq!(env.budget(), before);
    });
}

#[test]
fn a_terminal_that_takes_nothing_of_what_is_written_is_an_error() {
    let _watchdog = Watchdog::start(Duration::from_secs(60));
    tree().drive(|env| {
        let mut terminal = TerminalConnection::new(env, "screen").expect("it is served");
        assert_eq!(terminal.write_all(b"hello"), Err(Error::Rpc(rpc::Error::MalformedResult)));
        assert_eq!(terminal.write_all(b""), Ok(()));
    });
}
