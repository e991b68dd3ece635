//! What is left of a dataspace when its owner has freed it, within one process.

use portcullis_shm::{Error, RamAccount, RamAllocator, RamQuota, Window};
use rustix::fs::{FallocateFlags, SeekFrom};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

const SIZE: usize = 64 * 1024;

fn allocator() -> RamAllocator {
    RamAllocator::new(&RamAccount::new(RamQuota::mib(64)))
}

#[test]
fn g31_after_a_free_every_access_of_every_attachment_says_revoked() -> Result<(), Error> {
    for published in [false, true] {
        let allocator = allocator();
        let dataspace = if published { allocator.alloc_published(SIZE) } else { allocator.alloc(SIZE) }?;
        dataspace.attach(Window::WHOLE)?.copy_from(0, &[7; SIZE])?;
        let capability = dataspace.capability();
        let foreign = capability.import()?;
        let attachments = [
            dataspace.attach(Window::from(100))?,
            dataspace.attach_read_only(Window::WHOLE)?,
            foreign.attach(Window::WHOLE)?,
            foreign.attach_read_only(Window::from(5000))?,
            capability.attach(Window::new(1, 100))?,
        ];
        let view = attachments[2].whole();
        assert!(
            attachments.iter().all(|attached| attached.read(3) == Ok([7_u8; 8]) && !attached.is_revoked())
        );
        drop(dataspace);
        for attached in &attachments {
            assert!(attached.is_revoked());
            assert_eq!(attached.copy_to(0, &mut [0; 10]), Err(Error::Revoked));
            assert_eq!(attached.read::<u8>(0), Err(Error::Revoked));
            assert_eq!(
                attached.whole().for_each_block(|_, _| panic!("there is nothing to be seen")),
                Err(Error::Revoked)
            );
            let refused = if attached.is_writable() { Error::Revoked } else { Error::ReadOnly };
            assert_eq!(attached.copy_from(0, &[1]), Err(refused));
            assert_eq!(
                attached.atomic_u64(1024 - 100).map(drop).or(attached.atomic_u64(1016).map(drop)),
                Err(refused)
            );
        }
        assert_eq!(view.read::<u8>(0), Err(Error::Revoked));
        assert_eq!(foreign.attach(Window::WHOLE).map(drop), Err(Error::Revoked));
        assert_eq!(capability.import().map(drop), Err(Error::Revoked));
    }
    Ok(())
}

#[test]
fn the_pages_of_what_is_freed_are_gone() -> Result<(), Error> {
    let allocator = allocator();
    let dataspace = allocator.alloc(SIZE)?;
    let capability = dataspace.capability();
    let held = dataspace.attach(Window::WHOLE)?;
    held.copy_from(0, &[7; SIZE])?;
    let blocks = || rustix::fs::fstat(&capability).expect("it is open").st_blocks;
    assert!(blocks() * 512 >= i64::try_from(SIZE).expect("it is small"));
    drop(dataspace);
    assert_eq!(blocks(), 0);
    assert_eq!(held.read::<u8>(0), Err(Error::Revoked));
    assert_eq!(blocks(), 0, "and looking at it brings none back");
    Ok(())
}

#[test]
fn what_is_sealed_against_writers_is_wiped_and_not_punched() -> Result<(), Error> {
    let dataspace = allocator().alloc_published(SIZE + 5)?;
    let capability = dataspace.capability();
    dataspace.attach(Window::WHOLE)?.copy_from(0, &[7; SIZE + 5])?;
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    assert_eq!(rustix::fs::fallocate(&capability, punch, 0, 4096), Err(rustix::io::Errno::PERM));
    let _lingering = dataspace.free().expect("somebody has it");
    let size = rustix::fs::seek(capability.as_fd(), SeekFrom::End(0)).expect("it is a file");
    let mut content = vec![1; usize::try_from(size).expect("it is small")];
    assert_eq!(rustix::io::pread(&capability, &mut content, 0), Ok(content.len()));
    assert!(content.iter().all(|byte| *byte == 0), "its descriptor reads zeros");
    Ok(())
}

#[test]
fn g32_whoever_does_not_own_it_changes_nothing_by_letting_go_of_it() -> Result<(), Error> {
    let dataspace = allocator().alloc(SIZE)?;
    let mine = dataspace.attach(Window::WHOLE)?;
    mine.write(0, &7_u64)?;
    let capability = dataspace.capability();
    let foreign = capability.import()?;
    let attached = foreign.attach(Window::WHOLE)?;
    drop((attached, foreign, capability));
    assert_eq!(mine.read(0), Ok(7_u64));
    assert_eq!(dataspace.capability().attach(Window::WHOLE)?.read(0), Ok(7_u64));
    Ok(())
}

#[test]
fn attack_30_accesses_under_way_while_it_is_freed_see_the_content_or_say_revoked() -> Result<(), Error> {
    for round in 0..60 {
        let allocator = allocator();
        let dataspace = if round % 2 == 0 { allocator.alloc_published(SIZE) } else { allocator.alloc(SIZE) }?;
        dataspace.attach(Window::WHOLE)?.copy_from(0, &[7; SIZE])?;
        let foreign = dataspace.capability().attach(Window::WHOLE)?;
        let (mine, started) = (dataspace.attach(Window::WHOLE)?, AtomicBool::new(false));
        std::thread::scope(|scope| {
            for attached in [&foreign, &mine] {
                let started = &started;
                scope.spawn(move || {
                    let mut copy = vec![0; SIZE];
                    // What was read successfully was read before: never a zero among it.
                    while attached.copy_to(0, &mut copy).is_ok() {
                        assert!(copy.iter().all(|byte| *byte == 7), "zeros that nobody spoke of");
                        started.store(true, Ordering::Relaxed);
                    }
                    let mut writes = 0_u64;
                    while attached.is_writable() && attached.copy_from(0, &[7; 100]).is_ok() {
                        writes += 1;
                    }
                    assert_eq!(writes, 0, "it is over for good");
                });
            }
            while !started.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            drop(dataspace);
        });
    }
    Ok(())
}
