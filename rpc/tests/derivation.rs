//! Interfaces that derive from one without methods: a kind of thing, and nothing more.

mod support;

use portcullis_rpc::{Capability, Client, Error, Interface, rpc_interface};
use std::sync::atomic::{AtomicU32, Ordering};
use support::host;

/// Marks what may stand in a room.
#[rpc_interface]
trait Thing {}

/// Marks what can be carried, too.
#[rpc_interface]
trait Portable: Thing {}

#[rpc_interface]
trait Lamp: Portable {
    fn switch(&mut self, on: bool) -> Result<bool, Error>;
    fn hours(&self) -> Result<u32, Error>;
}

#[rpc_interface]
trait Lantern: Lamp {}

#[rpc_interface]
trait Torch: Lantern {
    fn battery(&self) -> Result<u8, Error>;
}

#[derive(Default)]
struct Flashlight {
    on: bool,
    hours: AtomicU32,
}

impl Thing for Flashlight {}

impl Portable for Flashlight {}

impl Lamp for Flashlight {
    fn switch(&mut self, on: bool) -> Result<bool, Error> {
        Ok(std::mem::replace(&mut self.on, on))
    }
    fn hours(&self) -> Result<u32, Error> {
        Ok(self.hours.fetch_add(1, Ordering::Relaxed))
    }
}

impl Lantern for Flashlight {}

impl Torch for Flashlight {
    fn battery(&self) -> Result<u8, Error> {
        Ok(80)
    }
}

/// Asks for no more than the mark.
fn put(things: &mut Vec<Capability<dyn Thing>>, thing: Capability<dyn Thing>) -> usize {
    things.push(thing);
    things.len()
}

#[test]
fn g12_the_opcodes_after_a_base_without_methods_begin_where_it_began() {
    assert!(<dyn Thing>::METHODS.is_empty() && <dyn Portable>::METHODS.is_empty());
    assert_eq!(<dyn Lamp>::METHODS, ["switch", "hours"]);
    assert_eq!(<dyn Lantern>::METHODS, <dyn Lamp>::METHODS);
    assert_eq!(<dyn Lantern>::CHAIN, <dyn Lamp>::CHAIN);
    assert_eq!(<dyn Torch>::METHODS, ["switch", "hours", "battery"]);
}

#[test]
fn g15_what_derives_from_a_base_without_methods_is_called_and_goes_where_its_base_goes() {
    let lamp = host::<dyn Lamp, _>(Flashlight::default);
    let mut client = lamp.client();
    assert_eq!((client.switch(true), client.switch(false)), (Ok(false), Ok(true)));
    assert_eq!((client.hours(), client.hours()), (Ok(0), Ok(1)));

    let mut things = Vec::new();
    assert_eq!(put(&mut things, client.clone().upcast::<dyn Thing>().capability().clone()), 1);
    let portable: Capability<dyn Portable> = lamp.upcast();
    assert_eq!(put(&mut things, portable.upcast()), 2);
    // It is the same lamp that went there.
    let back = Capability::<dyn Lamp>::from_untyped(things.remove(1).into_untyped()).client();
    assert_eq!((back.hours(), client.hours()), (Ok(2), Ok(3)));
}

#[test]
fn g15_a_link_without_methods_passes_calls_on_to_its_base() {
    let mut torch = host::<dyn Torch, _>(Flashlight::default).client();
    assert_eq!((torch.switch(true), torch.hours(), torch.battery()), (Ok(false), Ok(0), Ok(80)));
    let mut lantern: Client<dyn Lantern> = torch.clone().upcast();
    assert_eq!((lantern.switch(true), lantern.hours()), (Ok(true), Ok(1)));
}

#[test]
fn an_interface_without_methods_refuses_every_call() {
    let mark = host::<dyn Thing, _>(Flashlight::default).into_untyped();
    let torch = Capability::<dyn Torch>::from_untyped(mark.clone()).client();
    assert_eq!(torch.battery(), Err(Error::UnknownMethod));
    assert_eq!(torch.hours(), Err(Error::UnknownMethod));
    let mark = host::<dyn Portable, _>(Flashlight::default).into_untyped();
    let lamp = Capability::<dyn Lamp>::from_untyped(mark).client();
    assert_eq!(lamp.hours(), Err(Error::UnknownMethod));
}
