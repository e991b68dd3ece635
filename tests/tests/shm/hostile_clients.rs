//! What a client can do to a server with a dataspace of the server's: attacks 24 to 27, and 33.

use super::{Outcome, PAGE, kind, vault, watchdog};
use portcullis_rpc::{Client, DataspaceCapability};
use portcullis_tests::vault::{Host, Vault};
use portcullis_tests::villain::memory::Memory;
use rustix::fs::{FallocateFlags, Mode, OFlags, SealFlags};
use rustix::io::Errno;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt as _;

const SIZE: usize = 2 * PAGE;

/// A server, its client, and a dataspace of the server's, full of sevens, that came to us.
type Lent = (Host, Client<dyn Vault>, DataspaceCapability);

fn server(published: bool) -> Result<Lent, Box<dyn std::error::Error>> {
    let (host, mut server) = vault()?;
    let made = server.make(SIZE as u64, 7, published)?;
    Ok((host, server, made))
}

/// By the name that a process has for its own descriptors.
fn reopen(file: &DataspaceCapability) -> Result<OwnedFd, Errno> {
    let path = format!("/proc/self/fd/{}", file.as_fd().as_raw_fd());
    rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
}

#[test]
fn attack_24_nobody_shrinks_or_extends_it() -> Outcome {
    let _watchdog = watchdog();
    for published in [false, true] {
        let (_host, mut server, made) = server(published)?;
        for size in [0, 1, PAGE, SIZE, 100 * PAGE] {
            assert_eq!(rustix::fs::ftruncate(&*made, size as u64), Err(Errno::PERM));
        }
        assert_eq!(
            rustix::fs::fallocate(&*made, FallocateFlags::empty(), 0, 100 * PAGE as u64),
            Err(Errno::PERM)
        );
        assert_eq!(server.runs(true)?, [(7, SIZE as u64)]);
    }
    Ok(())
}

#[test]
fn attack_25_nobody_adds_a_seal() -> Outcome {
    let _watchdog = watchdog();
    for published in [false, true] {
        let (_host, mut server, made) = server(published)?;
        for seal in [SealFlags::WRITE, SealFlags::FUTURE_WRITE, SealFlags::SEAL] {
            assert_eq!(rustix::fs::fcntl_add_seals(&*made, seal), Err(Errno::PERM));
        }
        server.store(true, 0, b"still")?;
        assert_eq!(server.look(true, 0, 5)?, b"still");
    }
    Ok(())
}

#[test]
fn attack_26_a_hole_is_zeros_and_no_fault() -> Outcome {
    let _watchdog = watchdog();
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    let (_host, mut server, made) = server(false)?;
    let (_bystander, mut bystander) = vault()?;
    bystander.attach(made.clone())?;
    rustix::fs::fallocate(&*made, punch, PAGE as u64, PAGE as u64)?;
    assert_eq!(server.runs(true)?, [(7, PAGE as u64), (0, PAGE as u64)]);
    assert_eq!(bystander.look(false, PAGE as u64, 2)?, [0; 2]);
    // Even where the owner says that it lives. Whoever can write a dataspace can take it from others: but not from its owner.
    rustix::fs::fallocate(&*made, punch, 0, 3 * PAGE as u64)?;
    assert_eq!(kind(bystander.look(false, 0, 2)), "Revoked");
    assert_eq!(server.look(true, 0, 2)?, [0; 2]);
    server.store(true, 0, b"mine")?;
    assert_eq!(server.look(true, 0, 4)?, b"mine");
    Ok(())
}

#[test]
fn attack_26_nobody_makes_holes_in_what_is_sealed_against_writers() -> Outcome {
    let _watchdog = watchdog();
    let (_host, mut server, made) = server(true)?;
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    assert_eq!(rustix::fs::fallocate(&*made, punch, 0, PAGE as u64), Err(Errno::PERM));
    assert_eq!(server.look(true, 0, 2)?, [7; 2]);
    Ok(())
}

#[test]
fn attack_27_what_is_opened_anew_cannot_be_written_either() -> Outcome {
    let _watchdog = watchdog();
    let (_host, mut server, made) = server(true)?;
    let reopened = reopen(&made);
    for file in [Some(made.as_fd().try_clone_to_owned()?), reopened.ok()].into_iter().flatten() {
        assert_eq!(rustix::io::pwrite(&file, b"x", 0), Err(Errno::PERM));
        assert!(Memory::map(&file, PAGE).is_err(), "a new mapping that can be written");
    }
    assert_eq!(server.runs(true)?, [(7, SIZE as u64)]);
    Ok(())
}

#[test]
fn attack_33_nobody_executes_it() -> Outcome {
    let _watchdog = watchdog();
    let (_host, mut server, made) = server(false)?;
    server.store(true, 0, b"#!/bin/true\n")?;
    assert_eq!(rustix::fs::fchmod(&*made, Mode::RWXU), Err(Errno::PERM));
    let inherited = rustix::io::fcntl_dupfd_cloexec(&*made, 3)?;
    rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty())?;
    let error = std::process::Command::new(format!("/proc/self/fd/{}", inherited.as_raw_fd())).exec();
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    Ok(())
}
