//! What a client can do to a server with something that it says is a dataspace: attacks 24, 28, 29 and 32.

use super::{Outcome, PAGE, kind, vault, watchdog};
use portcullis_rpc::DataspaceCapability;
use portcullis_shm::DataspaceCapability as Alleged;
use portcullis_shm::{Attributes, RamAccount, RamAllocator, RamQuota, Window};
use portcullis_tests::vault::{DONATED, Vault, VaultError};
use portcullis_tests::villain::socket::lingering;
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

const SIZE: usize = 2 * PAGE;
const LIMIT: u64 = DONATED;
const SEALED: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

fn alleged(file: impl Into<OwnedFd>, bits: u64) -> DataspaceCapability {
    Alleged::from_parts(file.into(), Attributes::from_bits(bits)).into()
}

/// A memory file of that size, backed as far as that, with those seals.
fn memory_file(size: usize, backed: usize, seals: SealFlags) -> Result<OwnedFd, rustix::io::Errno> {
    let file = rustix::fs::memfd_create("villain", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    rustix::fs::ftruncate(&file, size as u64)?;
    if backed != 0 {
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, backed as u64)?;
    }
    rustix::fs::fcntl_add_seals(&file, seals)?;
    Ok(file)
}

/// What is not even to be asked: closing it may take long, or reading it for ever.
fn impostors() -> Result<Vec<(&'static str, OwnedFd)>, Box<dyn std::error::Error>> {
    use rustix::{event, pipe};
    let (reader, writer) = pipe::pipe()?;
    let (one, other) = std::os::unix::net::UnixStream::pair()?;
    let temporary = std::env::temp_dir().join(format!("portcullis-impostor-{}", std::process::id()));
    std::fs::write(&temporary, vec![7; SIZE])?;
    let regular = std::fs::OpenOptions::new().read(true).write(true).open(&temporary)?;
    std::fs::remove_file(&temporary)?;
    let mut impostors = vec![
        ("a pipe", reader),
        ("the other end of a pipe", writer),
        ("a socket", one.into()),
        ("another socket", other.into()),
        ("a file", regular.into()),
        ("a directory", std::fs::File::open("/")?.into()),
        ("a device", std::fs::File::open("/dev/zero")?.into()),
        ("a file of /proc", std::fs::File::open("/proc/self/maps")?.into()),
        ("an event counter", event::eventfd(0, event::EventfdFlags::CLOEXEC)?),
        ("an epoll set", event::epoll::create(event::epoll::CreateFlags::CLOEXEC)?),
    ];
    if let Ok(fuse) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/fuse") {
        impostors.push(("a connection to a FUSE file system", fuse.into()));
    }
    Ok(impostors)
}

#[test]
fn attack_28_no_other_kind_of_descriptor_passes_for_a_dataspace() -> Outcome {
    let _watchdog = watchdog();
    let (_host, mut server) = vault()?;
    for (name, impostor) in impostors()? {
        for bits in [SIZE as u64, 1 << 63 | PAGE as u64, 0, u64::MAX] {
            let result = server.attach_foreign(alleged(impostor.try_clone()?, bits), LIMIT);
            assert_eq!(kind(result), "NoDataspace", "{name}");
        }
    }
    // Sealed like memory, but of huge pages: their pool may run dry, which is a fault for whoever touches them.
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | MemfdFlags::HUGETLB;
    if let Ok(huge) = rustix::fs::memfd_create("villain", flags) {
        rustix::fs::ftruncate(&huge, 2 << 20)?;
        rustix::fs::fcntl_add_seals(&huge, SEALED)?;
        let refused = server.attach_foreign(alleged(huge, 2 << 20), 1 << 30);
        assert!(matches!(refused, Err(VaultError::Memory { text, .. }) if text.contains("tmpfs")));
    }
    assert_eq!(server.used()?, 0, "and nothing stays on the account");
    Ok(())
}

#[test]
fn attack_28_a_descriptor_whose_close_takes_long_keeps_no_server() -> Outcome {
    let _watchdog = watchdog();
    let (_host, mut server) = vault()?;
    let (slow, _other) = lingering(60)?;
    // When this is answered we have let go of it, and the server has the last one.
    server.keep(alleged(slow, SIZE as u64))?;
    let start = Instant::now();
    server.detach()?;
    assert_eq!(server.used()?, 0);
    assert!(start.elapsed() < Duration::from_secs(10), "it waited for {:?}", start.elapsed());
    Ok(())
}

#[test]
fn attack_24_memory_that_could_be_cut_off_is_refused() -> Outcome {
    let _watchdog = watchdog();
    let (_host, mut server) = vault()?;
    let all = [SealFlags::SHRINK, SealFlags::GROW, SealFlags::SEAL];
    for missing in all {
        let seals = all.into_iter().filter(|seal| *seal != missing).collect();
        let file = memory_file(SIZE, SIZE, seals)?;
        assert_eq!(kind(server.attach_foreign(alleged(file, SIZE as u64), LIMIT)), "NoDataspace");
    }
    server.attach_foreign(alleged(memory_file(SIZE, SIZE, SEALED)?, SIZE as u64), LIMIT)?;
    assert_eq!(server.look(false, 0, 4)?, [0; 4], "with all of them it is one");
    Ok(())
}

#[test]
fn a_size_that_is_not_the_one_that_was_said_is_refused() -> Outcome {
    let _watchdog = watchdog();
    let (_host, mut server) = vault()?;
    let file = memory_file(SIZE, SIZE, SEALED)?;
    let with_word = 1 << 63;
    for bits in
        [0, 1, PAGE as u64, SIZE as u64 + 1, with_word | SIZE as u64, with_word, u64::MAX, u64::MAX >> 1]
    {
        let result = server.attach_foreign(alleged(file.try_clone()?, bits), LIMIT);
        assert_eq!(kind(result), "NoDataspace", "{bits:#x}");
    }
    // The word that says that it lives is not there.
    let ended = alleged(file.try_clone()?, with_word | PAGE as u64);
    assert_eq!(kind(server.attach_foreign(ended, LIMIT)), "Revoked");
    assert_eq!(server.used()?, 0);
    Ok(())
}

#[test]
fn attack_29_and_32_a_clients_memory_is_bounded_and_paid_for_by_what_the_client_donated() -> Outcome {
    let _watchdog = watchdog();
    let (_host, mut server) = vault()?;
    let sparse = memory_file(SIZE, PAGE, SEALED)?;
    assert_eq!(kind(server.attach_foreign(alleged(sparse, SIZE as u64), LIMIT)), "NoDataspace");
    // Of a terabyte nothing is there, and nothing is asked of whoever would touch it first.
    let huge = memory_file(1 << 40, 0, SEALED)?;
    assert_eq!(kind(server.attach_foreign(alleged(huge, 1 << 40), 1 << 41)), "NoDataspace");
    let large = || memory_file(2 * SIZE, 2 * SIZE, SEALED).map(|file| alleged(file, 2 * SIZE as u64));
    assert_eq!(kind(server.attach_foreign(large()?, 2 * SIZE as u64 - 1)), "TooLarge");
    let larger = usize::try_from(DONATED)? + PAGE;
    let larger = alleged(memory_file(larger, larger, SEALED)?, larger as u64);
    assert_eq!(kind(server.attach_foreign(larger, 1 << 20)), "OutOfRam", "more than it donated");
    assert_eq!(server.used()?, 0);
    server.attach_foreign(large()?, LIMIT)?;
    assert_eq!(server.used()?, 2 * SIZE as u64);
    server.detach()?;
    assert_eq!(server.used()?, 0);
    Ok(())
}

#[test]
fn attack_29_a_hole_made_after_the_check_costs_no_more_than_was_set_aside() -> Outcome {
    let _watchdog = watchdog();
    let (_host, mut server) = vault()?;
    let file = memory_file(SIZE, SIZE, SEALED)?;
    server.attach_foreign(alleged(file.try_clone()?, SIZE as u64), LIMIT)?;
    rustix::fs::fallocate(&file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 0, SIZE as u64)?;
    assert_eq!(server.runs(false)?, [(0, SIZE as u64)]);
    assert_eq!(server.used()?, SIZE as u64);
    Ok(())
}

#[test]
fn attack_32_a_dataspace_has_all_its_pages_when_it_is_made() -> Outcome {
    let _watchdog = watchdog();
    let (_host, mut server) = vault()?;
    let made = server.make(5 * PAGE as u64, 0, false)?;
    assert!(rustix::fs::fstat(&*made)?.st_blocks * 512 >= 6 * PAGE as i64);
    Ok(())
}

#[test]
fn a_client_that_frees_what_a_server_has_attached_ends_that_alone() -> Outcome {
    let _watchdog = watchdog();
    let (_host, mut server) = vault()?;
    let own = RamAllocator::new(&RamAccount::new(RamQuota::kib(64))).alloc(SIZE)?;
    own.attach(Window::WHOLE)?.copy_from(0, b"hello")?;
    server.attach_foreign(own.capability().into(), LIMIT)?;
    assert_eq!(server.look(false, 0, 5)?, b"hello");
    drop(own);
    assert_eq!(kind(server.look(false, 0, 5)), "Revoked");
    server.detach()?;
    assert_eq!(server.used()?, 0);
    Ok(())
}
