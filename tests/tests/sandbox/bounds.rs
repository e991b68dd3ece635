//! How much it can make the system hold.

use crate::{INTRUDER, refused, watchdog};
use portcullis_component::sandbox::{Bounds, Layer, Program, Sandbox, Support};
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::{Cell, both_in, strict};
use rustix::io::Errno;

#[test]
fn strict_address_space_files_and_descriptors_are_bounded() {
    let _watchdog = watchdog();
    let bounds = Bounds { address_space: 1 << 30, file: 1 << 20, descriptors: 64, ..Bounds::default() };
    let Some((confined, free)) = both_in(&Program::new(INTRUDER), &Sandbox { bounds, ..strict() }) else {
        return;
    };
    // Nothing of it is touched: this takes numbers and no memory.
    for (attempt, within, beyond, way) in [
        (Attempt::Map, 1 << 20, 2_u64 << 30, Errno::NOMEM),
        (Attempt::File, 1 << 20, (1 << 20) + 1, Errno::FBIG),
    ] {
        assert_eq!(confined.tries(attempt, &within.to_string()), Ok("done".into()));
        assert_eq!(free.tries(attempt, &beyond.to_string()), Ok("done".into()));
        refused(confined.tries(attempt, &beyond.to_string()), &[way]);
    }
    let more = confined.tries(Attempt::Hoard, "").expect("it counts").parse::<u64>().expect("a number");
    assert!(more < 64, "{more}");
    assert_eq!(confined.tries(Attempt::Thread, ""), Ok("7".into()), "it lives");
}

#[test]
fn strict_large_pages_which_no_limit_counts_are_refused() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both_in(&Program::new(INTRUDER), &strict()) else { return };
    let mapping = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let map = |flags: i32| format!("{} 0 4096 {} {flags} {} 0", libc::SYS_mmap, libc::PROT_READ, usize::MAX);
    let file = |flags: u32| format!("{} 0 {flags}", libc::SYS_memfd_create);
    for call in [map(mapping | libc::MAP_HUGETLB), file(libc::MFD_HUGETLB)] {
        refused(confined.tries(Attempt::Call, &call), &[Errno::PERM]);
        // There may be no such pages, and the file has no name.
        let outside = free.tries(Attempt::Call, &call);
        assert!(matches!(outside, Ok(_) | Err(Errno::NOMEM | Errno::FAULT)), "{outside:?}");
    }
    assert!(confined.tries(Attempt::Call, &map(mapping)).is_ok());
    refused(confined.tries(Attempt::Call, &file(0)), &[Errno::FAULT]);
}

#[test]
fn strict_threads_are_bounded() {
    let _watchdog = watchdog();
    let bounds = Bounds { threads: 8, ..Bounds::default() };
    let Some((confined, free)) = both_in(&Program::new(INTRUDER), &Sandbox { bounds, ..strict() }) else {
        return;
    };
    let count = |cell: &Cell| {
        let threads = cell.tries(Attempt::Threads, "20").expect("it counts");
        threads.parse::<u32>().expect("a number")
    };
    assert_eq!(count(&free), 20);
    // The kernel does not count those of its own root, which a component is only below a root that may become nobody else.
    let counted = crate::root() || rustix::process::geteuid() != rustix::process::Uid::ROOT;
    // Some are its runtime's.
    assert!((4..8).contains(&count(&confined)) || !counted);
    assert_eq!(confined.tries(Attempt::Thread, ""), Ok("7".into()), "it lives");
}

#[test]
fn strict_all_memory_of_any_kind_is_bounded_where_there_are_memory_groups() {
    let _watchdog = watchdog();
    let bounds = Bounds { memory: Some(16 << 20), ..Bounds::default() };
    for attempt in [Attempt::Touch, Attempt::Fill] {
        let sandbox = Sandbox { bounds, ..strict() };
        let Some((confined, free)) = both_in(&Program::new(INTRUDER), &sandbox) else { return };
        let [little, much] = [(4_u64 << 20).to_string(), (32_u64 << 20).to_string()];
        let left_out = |layer| confined.child.left_out().iter().any(|lack| lack.layer == layer);
        assert_eq!(confined.tries(attempt, &little), Ok(little));
        assert_eq!(free.tries(attempt, &much), Ok(much.clone()));
        if Support::of_this_system().expect("there is room to try it").has(Layer::MemoryGroup) {
            assert!(!left_out(Layer::MemoryGroup));
            assert!(confined.dies_of(attempt, &much), "{attempt:?}");
        } else {
            assert!(left_out(Layer::MemoryGroup), "it is said");
        }
    }
}
