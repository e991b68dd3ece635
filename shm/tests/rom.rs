//! Content that nobody can change.

use portcullis_shm::{
    Attributes, DataspaceCapability, Error, RamAccount, RamAllocator, RamQuota, Rom, Window,
};
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
use std::io::{Seek, Write};
use std::os::fd::{AsFd, OwnedFd};

const IMMUTABLE: SealFlags =
    SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::WRITE).union(SealFlags::SEAL);

fn allocator() -> RamAllocator {
    RamAllocator::new(&RamAccount::new(RamQuota::mib(16)))
}

fn file(content: &[u8]) -> std::fs::File {
    let mut file = tempfile::tempfile().expect("there is a directory for it");
    file.write_all(content).expect("there is room");
    file
}

fn memory_file(content: &[u8], seals: SealFlags) -> OwnedFd {
    let file = rustix::fs::memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING);
    let file = file.expect("a memory file");
    rustix::io::write(&file, content).expect("there is room");
    rustix::fs::fcntl_add_seals(&file, seals).expect("they are granted");
    file
}

#[test]
fn a_copy_has_the_files_content_whatever_its_size() -> Result<(), Error> {
    for size in [1, 100, 4095, 4096, 4097, 65_536, 65_537, 1_000_001] {
        let content: Vec<u8> = (0..=250).cycle().take(size).collect();
        let rom = allocator().rom(file(&content), 1 << 20)?;
        assert_eq!((rom.size(), rom.bytes()), (size, &*content));
        assert_eq!(rom.capability().attach(Window::WHOLE)?.whole().to_vec()?, content);
    }
    Ok(())
}

#[test]
fn the_files_position_is_let_be() -> Result<(), Error> {
    let mut file = file(b"content");
    file.seek(std::io::SeekFrom::Start(3)).expect("it is a file");
    assert_eq!(allocator().rom(&file, 100)?.bytes(), b"content");
    assert_eq!(file.stream_position().expect("it is a file"), 3);
    Ok(())
}

#[test]
fn what_is_no_file_or_too_large_is_refused_and_costs_nothing() {
    let allocator = allocator();
    let error = allocator.rom(file(&[0; 1001]), 1000).expect_err("it is too large");
    assert_eq!(error, Error::TooLarge { size: 1001, limit: 1000 });
    assert!(error.to_string().contains("raise the limit"), "{error}");
    let (reader, _writer) = std::io::pipe().expect("a pipe");
    assert_eq!(allocator.rom(reader, 1000).map(drop), Err(Error::NoFile));
    let directory = std::fs::File::open("/").expect("it is there");
    assert_eq!(allocator.rom(directory, 1000).map(drop), Err(Error::NoFile));
    assert_eq!(allocator.rom(file(b""), 1000).map(drop), Err(Error::BadSize { size: 0 }));
    // It says that it has no content, and has some: a file that grows while it is read is no other.
    let grows = std::fs::File::open("/proc/self/status").expect("/proc is mounted");
    assert!(allocator.rom(grows, 1000).is_err());
    assert_eq!(allocator.account().used(), RamQuota::bytes(0));
    let poor = RamAllocator::new(&RamAccount::new(RamQuota::kib(4)));
    assert!(matches!(poor.rom(file(&[0; 5000]), 10_000).map(drop), Err(Error::OutOfRam { .. })));
}

#[test]
fn scenario_15_nobody_writes_a_rom() -> Result<(), Error> {
    let rom = allocator().rom(file(b"content"), 1000)?;
    let capability = rom.capability();
    let attached = capability.attach(Window::WHOLE)?;
    assert_eq!(attached.copy_from(0, b"x"), Err(Error::ReadOnly));
    assert!(attached.view_mut(0, 1).is_err() && attached.atomic_u32(0).is_err());
    let descriptor = capability.as_fd();
    assert_eq!(rustix::io::pwrite(descriptor, b"x", 0), Err(rustix::io::Errno::PERM));
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    assert_eq!(rustix::fs::fallocate(descriptor, punch, 0, 4096), Err(rustix::io::Errno::PERM));
    assert_eq!(rustix::fs::ftruncate(descriptor, 0), Err(rustix::io::Errno::PERM));
    assert_eq!(rustix::fs::ftruncate(descriptor, 1 << 20), Err(rustix::io::Errno::PERM));
    assert_eq!(rom.bytes(), b"content");
    Ok(())
}

#[test]
fn a_sealed_memory_file_is_taken_as_it_is() -> Result<(), Error> {
    let rom = Rom::sealed(memory_file(b"content", IMMUTABLE), 1000)?;
    assert_eq!(rom.bytes(), b"content");
    assert!(rom.free().is_none(), "it was paid for by whoever made it");
    let too_large = Rom::sealed(memory_file(b"content", IMMUTABLE), 6).map(drop);
    assert_eq!(too_large, Err(Error::TooLarge { size: 7, limit: 6 }));
    for missing in [SealFlags::WRITE, SealFlags::SHRINK, SealFlags::GROW, SealFlags::SEAL] {
        let almost = Rom::sealed(memory_file(b"content", IMMUTABLE - missing), 1000).map(drop);
        assert!(matches!(almost, Err(Error::NoDataspace(_))), "without {missing:?}");
    }
    Ok(())
}

#[test]
fn only_what_is_immutable_is_imported_as_a_rom() -> Result<(), Error> {
    let allocator = allocator();
    for dataspace in [allocator.alloc(4096)?, allocator.alloc_published(4096)?] {
        let imported = dataspace.capability().import_rom(8192).map(drop);
        assert_eq!(imported, Err(Error::NoDataspace("it is not sealed against all writing")));
    }
    let rom = allocator.rom(file(b"content"), 1000)?;
    let alleged = |attributes| {
        let file = rom.capability().as_fd().try_clone_to_owned().expect("a descriptor is left");
        DataspaceCapability::from_parts(file, Attributes::from_bits(attributes))
            .import_rom(1 << 40)
            .map(|rom| rom.size())
    };
    assert_eq!(alleged(7), Ok(7));
    assert_eq!(alleged(4096), Ok(4096), "what lies behind the content are zeros, and fixed as well");
    assert!(matches!(alleged(4097), Err(Error::NoDataspace(_))));
    assert!(alleged(0).is_err());
    assert!(alleged(u64::MAX).is_err());
    Ok(())
}

#[test]
fn a_rom_that_others_have_stays_on_its_account() -> Result<(), Error> {
    let allocator = allocator();
    assert!(allocator.rom(file(b"content"), 1000)?.free().is_none(), "nobody has it");
    let rom = allocator.rom(file(b"content"), 1000)?;
    let theirs = rom.capability().import_rom(1000)?;
    let lingering = rom.free().expect("somebody has it");
    assert_eq!(theirs.bytes(), b"content", "it cannot be taken back");
    assert_eq!(allocator.account().used(), lingering.amount());
    drop(lingering);
    assert_eq!(allocator.account().used(), RamQuota::bytes(0));
    Ok(())
}
