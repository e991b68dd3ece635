//! What is left of a dataspace when its owner frees it or ends: G31, attacks 30 and 31.

use super::{Outcome, PAGE, kind, vault, watchdog};
use portcullis_shm::{Error, RegionMap, Window};
use portcullis_tests::vault::Vault;
use portcullis_tests::villain::memory::Memory;
use std::os::fd::AsFd;

#[test]
fn g31_the_owners_free_detaches_it_everywhere_and_clients_live_on() -> Outcome {
    let _watchdog = watchdog();
    for published in [false, true] {
        let (_owner, mut server) = vault()?;
        let (_other, mut other) = vault()?;
        let made = server.make(2 * PAGE as u64, 7, published)?;
        other.attach(made.clone())?;
        let map = RegionMap::reserve(8 * PAGE)?;
        let place = map.attach(&made.import()?, Window::WHOLE)?;
        let attached = made.attach(Window::from(PAGE))?;
        assert_eq!(attached.read::<u8>(0)?, 7);
        server.free()?;
        assert_eq!(attached.read::<u8>(0), Err(Error::Revoked));
        assert_eq!(map.copy_to(place, &mut [0; 4]), Err(Error::Revoked));
        assert!(map.regions().is_empty(), "it is no region any more");
        assert_eq!(made.attach(Window::WHOLE).map(drop), Err(Error::Revoked));
        assert_eq!(kind(other.look(false, 0, 1)), "Revoked");
        other.attach(server.make(PAGE as u64, 8, published)?)?;
        assert_eq!(other.look(false, 0, 1)?, [8], "and it lives on");
    }
    Ok(())
}

#[test]
fn attack_30_an_owner_that_frees_under_a_reader_harms_nobody() -> Outcome {
    let _watchdog = watchdog();
    let (_owner, mut server) = vault()?;
    let (_reader, mut reader) = vault()?;
    for round in 0..300 {
        reader.attach(server.make(15 * PAGE as u64, 7, round % 2 == 0)?)?;
        let mut waiting = reader.clone();
        let copies = std::thread::spawn(move || waiting.copy_until_it_is_revoked());
        for _ in 0..round % 20 {
            server.used()?;
        }
        server.free()?;
        assert!(copies.join().expect("it does not panic")?, "a copy had bytes of two lives");
        reader.detach()?;
        server.settle()?;
    }
    Ok(())
}

#[test]
fn attack_31_who_keeps_the_descriptor_and_a_mapping_reads_zeros_and_nothing_new() -> Outcome {
    let _watchdog = watchdog();
    let (_owner, mut server) = vault()?;
    let made = server.make(2 * PAGE as u64, 7, false)?;
    let file = made.as_fd().try_clone_to_owned()?;
    let kept = Memory::map(&file, 2 * PAGE)?;
    assert_eq!(kept.load(0), 0x0707_0707_0707_0707);
    assert_eq!(server.free()?, 0, "all of it is back on the account");
    assert_eq!(server.used()?, 0);
    assert!((0..2 * PAGE / 8).all(|word| kept.load(word) == 0), "the mapping");
    let mut content = [1; 3 * PAGE];
    assert_eq!(rustix::io::pread(&file, &mut content, 0)?, content.len());
    assert!(content.iter().all(|byte| *byte == 0), "the descriptor");
    // What it writes now reaches nobody: none of those that are made later is this file.
    let node = |file: &dyn AsFd| rustix::fs::fstat(file.as_fd()).map(|stat| (stat.st_dev, stat.st_ino));
    for byte in 1..50 {
        kept.store(0, u64::MAX);
        let next = server.make(2 * PAGE as u64, byte, false)?;
        assert_ne!(node(&*next)?, node(&file)?);
        assert_eq!(server.look(true, 0, 8)?, [byte; 8]);
        server.free()?;
    }
    Ok(())
}

#[test]
fn attack_31_what_cannot_be_punched_is_wiped_and_stays_on_the_account() -> Outcome {
    let _watchdog = watchdog();
    let (_owner, mut server) = vault()?;
    let made = server.make(2 * PAGE as u64, 7, true)?;
    let file = made.as_fd().try_clone_to_owned()?;
    let used = server.used()?;
    assert_eq!(server.free()?, used, "all of it lingers");
    assert_eq!(server.used()?, used);
    let mut content = [1; 3 * PAGE];
    assert_eq!(rustix::io::pread(&file, &mut content, 0)?, content.len());
    assert!(content.iter().all(|byte| *byte == 0));
    drop((made, file));
    server.settle()?;
    assert_eq!(server.used()?, 0, "now that its holders are gone");
    Ok(())
}

#[test]
fn an_owner_that_ends_without_a_free_leaves_its_content_to_those_who_hold_it() -> Outcome {
    let _watchdog = watchdog();
    let (mut owner, mut server) = vault()?;
    let attached = server.make(PAGE as u64, 7, false)?.attach(Window::WHOLE)?;
    owner.child.kill()?;
    owner.child.wait()?;
    assert_eq!(attached.read::<[u8; 4]>(0), Ok([7; 4]));
    attached.copy_from(0, b"mine")?;
    assert_eq!(attached.read::<[u8; 4]>(0), Ok(*b"mine"));
    Ok(())
}
