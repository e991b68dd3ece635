//! Who owns, who pays, who may access: figure 7, G30 and G32.

use super::{Outcome, PAGE, kind, vault, watchdog};
use portcullis_shm::{Error, RegionMap, Window};
use portcullis_tests::vault::{DONATED, Vault};
use portcullis_tests::villain::memory::Memory;
use std::os::fd::AsFd;

#[test]
fn fig7_c1_the_server_allocates_within_what_was_donated() -> Outcome {
    let _watchdog = watchdog();
    let (_host, mut server) = vault()?;
    assert_eq!(kind(server.make(DONATED, 1, false)), "OutOfRam", "a page more than its content");
    assert_eq!(server.used()?, 0);
    server.make(DONATED - PAGE as u64, 1, false)?;
    assert_eq!(server.used()?, DONATED);
    Ok(())
}

#[test]
fn fig7_c2_to_c5_client_and_server_share_what_the_server_made() -> Outcome {
    let _watchdog = watchdog();
    let (_host, mut server) = vault()?;
    let shared = server.make(3 * PAGE as u64, 7, false)?.import()?;
    let map = RegionMap::reserve(16 * PAGE)?;
    let place = map.attach(&shared, Window::from(PAGE))?;
    let mut bytes = [0; 4];
    map.copy_to(place, &mut bytes)?;
    assert_eq!(bytes, [7; 4], "what the server wrote");
    map.copy_from(place + 2, b"client")?;
    assert_eq!(server.look(true, PAGE as u64, 9)?, b"\x07\x07client\x07", "what the client wrote");
    Ok(())
}

#[test]
fn fig7_c3_a_dataspace_goes_through_third_parties_to_whoever_gets_it() -> Outcome {
    let _watchdog = watchdog();
    let (_owner, mut server) = vault()?;
    let (host, mut courier) = vault()?;
    let (_reader, mut reader) = vault()?;
    let made = server.make(PAGE as u64, 7, false)?;
    let relayed = courier.relay(made)?;
    drop((host, courier));
    reader.attach(relayed)?;
    server.store(true, 5, b"hello")?;
    assert_eq!(reader.look(false, 5, 5)?, b"hello", "though whoever passed it on has ended");
    Ok(())
}

#[test]
fn g30_a_dataspace_is_reached_by_its_capability_alone() -> Outcome {
    let _watchdog = watchdog();
    let (_owner, mut server) = vault()?;
    let (_stranger, mut stranger) = vault()?;
    let made = server.make(PAGE as u64, 7, false)?;
    assert_eq!(kind(stranger.look(false, 0, 1)), "Unattached", "nobody has handed it anything");
    let stat = rustix::fs::fstat(&*made)?;
    assert_eq!(stat.st_nlink, 0, "no file system has a name for it");
    stranger.attach(made)?;
    assert_eq!(stranger.look(false, 0, 1)?, [7]);
    Ok(())
}

#[test]
fn g32_scenario_14_what_a_client_does_with_it_neither_frees_nor_refunds() -> Outcome {
    let _watchdog = watchdog();
    let (_owner, mut server) = vault()?;
    let (holder, mut client) = vault()?;
    let made = server.make(PAGE as u64, 7, false)?;
    let used = server.used()?;
    client.attach(made.clone())?;
    client.detach()?;
    client.attach(made.clone())?;
    drop((holder, client));
    assert_eq!(server.used()?, used, "a client's end is none of its business");
    assert_eq!(
        rustix::fs::ftruncate(&*made, 16 * PAGE as u64),
        Err(rustix::io::Errno::PERM),
        "nor extends it"
    );
    drop(made);
    assert_eq!((server.used()?, server.look(true, 0, 1)?), (used, vec![7]));
    assert_eq!(server.free()?, 0, "nothing of it is left");
    assert_eq!(server.used()?, 0);
    assert_eq!(server.free()?, 0);
    assert_eq!(server.used()?, 0, "what is freed twice is not refunded twice");
    Ok(())
}

#[test]
fn scenario_11_what_was_published_is_read_and_a_write_is_an_error() -> Outcome {
    let _watchdog = watchdog();
    let (_owner, mut server) = vault()?;
    let (_reader, mut reader) = vault()?;
    reader.attach(server.make(PAGE as u64, 7, true)?)?;
    assert_eq!(kind(reader.store(false, 0, b"x")), "ReadOnly");
    assert_eq!(reader.look(false, 0, 2)?, [7; 2], "and it lives on");
    Ok(())
}

#[test]
fn scenario_13_the_owners_map_of_sealed_memory_writes_and_no_new_one_does() -> Outcome {
    let _watchdog = watchdog();
    let (_owner, mut server) = vault()?;
    let made = server.make(PAGE as u64, 7, true)?;
    let foreign = made.import()?;
    assert!(!foreign.is_writable());
    let attached = foreign.attach(Window::WHOLE)?;
    server.store(true, 0, b"hello")?;
    assert_eq!(attached.read::<[u8; 5]>(0)?, *b"hello");
    assert_eq!(attached.copy_from(0, b"x"), Err(Error::ReadOnly));
    // By no other way either, with the very descriptor that the server itself has.
    assert!(Memory::map(&made.as_fd().try_clone_to_owned()?, PAGE).is_err());
    Ok(())
}
