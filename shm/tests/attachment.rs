//! What can be done with attached memory, within one process.

use portcullis_shm::{Attachment, Dataspace, Error, RamAccount, RamAllocator, RamQuota, RegionMap, Window};
use std::sync::atomic::Ordering;

fn dataspace(size: usize) -> Dataspace {
    RamAllocator::new(&RamAccount::new(RamQuota::mib(64))).alloc(size).expect("there is memory")
}

fn attached(size: usize) -> (Dataspace, Attachment) {
    let dataspace = dataspace(size);
    let attached = dataspace.attach(Window::WHOLE).expect("it is mapped");
    (dataspace, attached)
}

#[test]
fn what_is_written_is_read_at_every_offset_and_length() {
    let (_dataspace, memory) = attached(300);
    let pattern: Vec<u8> = (0..=255).collect();
    for offset in 0..40 {
        for len in 0..=130 {
            memory.copy_from(offset, &pattern[len..len + len.min(100)]).unwrap();
            let mut copy = vec![0xEE; len.min(100)];
            memory.copy_to(offset, &mut copy).unwrap();
            assert_eq!(copy, pattern[len..len + len.min(100)], "{offset} {len}");
        }
    }
}

#[test]
fn nothing_outside_is_accessed() {
    let (dataspace, memory) = attached(5000);
    let outside = |offset, len| Err(Error::OutOfBounds { offset, len, size: 5000 });
    assert_eq!(memory.copy_to(4999, &mut [0; 2]), outside(4999, 2));
    assert_eq!(memory.copy_from(usize::MAX, &[0; 2]), outside(usize::MAX, 2));
    assert_eq!(memory.read::<u64>(4993), outside(4993, 8).map(|()| 0));
    assert!(memory.atomic_u64(5000).is_err());
    assert!(memory.view(0, 5001).is_err());
    assert!(memory.view_mut(5000, 0).is_ok(), "nothing, at the end");
    assert!(dataspace.attach(Window::new(4096, 905)).is_err());
    assert!(dataspace.attach(Window::from(5001)).is_err());
    let view = memory.view(100, 10).unwrap();
    assert_eq!(view.copy_to(&mut [0; 11]), Err(Error::OutOfBounds { offset: 0, len: 11, size: 10 }));
    assert!(
        view.view(5, 6).is_err()
            && view.read::<u32>(7).is_err()
            && view.load_u32(8, Ordering::Relaxed).is_err()
    );
}

#[test]
fn windows_show_their_part() {
    let (dataspace, memory) = attached(20_000);
    for offset in [0, 1, 4095, 4096, 4097, 8192, 19_999] {
        memory.write(offset, &0xA5_u8).unwrap();
        let ours = dataspace.attach(Window::from(offset)).unwrap();
        let theirs = dataspace.capability().attach(Window::new(offset, 1)).unwrap();
        assert_eq!((ours.len(), theirs.len()), (20_000 - offset, 1));
        assert_eq!((ours.read(0), theirs.read(0)), (Ok(0xA5_u8), Ok(0xA5_u8)));
        theirs.write(0, &1_u8).unwrap();
        assert_eq!(memory.read(offset), Ok(1_u8));
    }
}

#[test]
fn atomics_are_aligned_and_shared() {
    let (dataspace, memory) = attached(4096);
    let theirs = dataspace.capability().attach(Window::from(64)).unwrap();
    memory.atomic_u64(64).unwrap().store(7 << 32 | 9, Ordering::Release);
    assert_eq!(theirs.atomic_u64(0).unwrap().load(Ordering::Acquire), 7 << 32 | 9);
    assert_eq!(theirs.whole().load_u32(4, Ordering::Acquire), Ok(7));
    let misaligned = |offset, alignment| Error::Misaligned { offset, alignment };
    assert_eq!(memory.atomic_u64(4).unwrap_err(), misaligned(4, 8));
    assert_eq!(memory.atomic_u32(2).unwrap_err(), misaligned(2, 4));
    let odd = dataspace.attach(Window::from(1)).unwrap();
    assert!(odd.atomic_u32(3).is_ok(), "it is the place in memory that counts");
}

#[test]
fn what_is_misaligned_is_named_by_its_place_in_the_dataspace() {
    let (dataspace, _) = attached(20_000);
    let foreign = dataspace.capability().import().unwrap();
    let window = Window::new(8194, 100);
    for odd in [dataspace.attach(window).unwrap(), foreign.attach(window).unwrap()] {
        let misaligned = |offset, alignment| Error::Misaligned { offset, alignment };
        assert_eq!(odd.atomic_u32(0).unwrap_err(), misaligned(8194, 4));
        assert_eq!(odd.atomic_u64(3).unwrap_err(), misaligned(8197, 8));
        assert_eq!(odd.atomics_u64(4, 2).unwrap_err(), misaligned(8198, 8));
        let view = odd.view(10, 40).unwrap();
        assert_eq!(view.load_u64(0, Ordering::Relaxed), Err(misaligned(8204, 8)));
        assert_eq!(view.for_each_line(|_, _| ()), Err(misaligned(8204, 16)));
        assert!(odd.atomic_u32(2).is_ok() && odd.view(14, 64).unwrap().for_each_line(|_, _| ()).is_ok());
    }
}

#[test]
fn nothing_is_attached_of_an_empty_window() {
    let (dataspace, _) = attached(8192);
    let foreign = dataspace.capability().import().unwrap();
    let map = RegionMap::reserve(1 << 16).unwrap();
    // Also where a page would be mapped for it, and at the end.
    for empty in [Window::new(0, 0), Window::new(5, 0), Window::new(4096, 0), Window::from(8192)] {
        let refused = [
            dataspace.attach(empty).map(drop),
            dataspace.attach_read_only(empty).map(drop),
            foreign.attach(empty).map(drop),
            foreign.attach_read_only(empty).map(drop),
            dataspace.capability().attach(empty).map(drop),
            map.attach(&dataspace, empty).map(drop),
            map.attach_read_only_at(4096, &foreign, empty),
        ];
        assert_eq!(refused, [Err(Error::BadSize { size: 0 }); 7], "{empty:?}");
    }
    assert!(matches!(dataspace.attach(Window::new(8193, 0)), Err(Error::OutOfBounds { .. })));
    assert!(map.regions().is_empty());
}

#[test]
fn blocks_cover_everything_once() {
    let (_dataspace, memory) = attached(50_001);
    memory.copy_from(0, &vec![1; 50_001]).unwrap();
    let mut next = 0;
    memory
        .whole()
        .for_each_block(|offset, block| {
            assert_eq!(offset, next);
            assert!(block.iter().all(|byte| *byte == 1));
            next += block.len();
        })
        .unwrap();
    assert_eq!(next, 50_001);
}

#[test]
fn attachments_outlive_what_they_came_from() {
    let dataspace = dataspace(4096);
    let capability = dataspace.capability();
    let theirs = capability.attach(Window::WHOLE).unwrap();
    drop(capability);
    let elsewhere = theirs.clone();
    std::thread::spawn(move || elsewhere.write(0, &42_u64)).join().unwrap().unwrap();
    assert_eq!(theirs.read(0), Ok(42_u64));
}
