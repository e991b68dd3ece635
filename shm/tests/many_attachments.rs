//! Attaching and detaching without end; alone in its process, since it counts what that has mapped.

use portcullis_shm::{Error, RamAccount, RamAllocator, RamQuota, RegionMap, Window};

const PAGE: usize = 4096;
const PAGES: usize = 16;

/// How many mappings of dataspaces this process has.
fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps")
        .expect("/proc is mounted")
        .matches("portcullis-dataspace")
        .count()
}

#[test]
fn scenario_12_ten_thousand_attachments_leave_the_content_and_nothing_else() -> Result<(), Error> {
    let dataspace = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).alloc(PAGES * PAGE)?;
    let whole = dataspace.attach(Window::WHOLE)?;
    (0..PAGES).try_for_each(|page| whole.write(page * PAGE, &(page as u64)))?;
    let foreign = dataspace.capability().import()?;
    let map = RegionMap::reserve(64 * PAGE)?;
    let before = mappings();
    for round in 0..10_000 {
        let (page, place) = (round % PAGES, round * 7 % 48 * PAGE);
        let window = Window::new(page * PAGE, (PAGES - page) * PAGE);
        map.attach_at(place, &foreign, window)?;
        let attached = foreign.attach(window)?;
        // Each round finds what the last one left, by both ways, and leaves a number of its own.
        let expected = (round / PAGES * PAGES + page) as u64;
        let mut bytes = [0; 8];
        map.copy_to(place, &mut bytes)?;
        assert_eq!((attached.read(0)?, u64::from_le_bytes(bytes)), (expected, expected), "round {round}");
        map.copy_from(place, &(expected + PAGES as u64).to_le_bytes())?;
        map.detach(place)?;
    }
    assert_eq!(mappings(), before);
    assert!(map.regions().is_empty());
    Ok(())
}
