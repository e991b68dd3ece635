//! Dataspace capabilities as arguments and results, alone and within what holds them.

mod support;

use portcullis_ipc::{self as ipc, MsgBuf, Refusal};
use portcullis_rpc::{Capability, DataspaceCapability, Error, Interface, rpc_interface};
use portcullis_shm::{Attributes, Dataspace, RamAccount, RamAllocator, RamQuota, Window};
use serde::{Deserialize, Serialize};
use support::echo::{Echo, Mirror};
use support::host;

#[derive(Serialize, Deserialize)]
struct Picture {
    width: u32,
    pixels: DataspaceCapability,
    palette: Option<DataspaceCapability>,
}

#[rpc_interface]
trait Gallery {
    fn first_byte(&mut self, of: DataspaceCapability) -> Result<u8, Error>;
    fn swap(
        &mut self,
        pair: (DataspaceCapability, DataspaceCapability),
    ) -> Result<(DataspaceCapability, DataspaceCapability), Error>;
    fn hang(&mut self, picture: Picture, label: Capability<dyn Echo>) -> Result<Picture, Error>;
    fn object(&mut self, object: Capability<dyn Echo>) -> Result<(), Error>;
    fn all(&mut self, of: Vec<DataspaceCapability>) -> Result<Vec<DataspaceCapability>, Error>;
}

struct Wall;

fn first(of: &DataspaceCapability) -> u8 {
    of.attach(Window::WHOLE).and_then(|attached| attached.read(0)).expect("it is one")
}

impl Gallery for Wall {
    fn first_byte(&mut self, of: DataspaceCapability) -> Result<u8, Error> {
        Ok(first(&of))
    }

    fn swap(
        &mut self,
        (one, other): (DataspaceCapability, DataspaceCapability),
    ) -> Result<(DataspaceCapability, DataspaceCapability), Error> {
        Ok((other, one))
    }

    fn hang(&mut self, picture: Picture, label: Capability<dyn Echo>) -> Result<Picture, Error> {
        label.client().nothing().expect("it is a mirror");
        Ok(Picture { width: picture.width + 1, ..picture })
    }

    fn object(&mut self, _: Capability<dyn Echo>) -> Result<(), Error> {
        Ok(())
    }

    fn all(&mut self, of: Vec<DataspaceCapability>) -> Result<Vec<DataspaceCapability>, Error> {
        Ok(of)
    }
}

/// A dataspace that begins with that byte.
fn dataspace(byte: u8) -> Dataspace {
    let made = RamAllocator::new(&RamAccount::new(RamQuota::kib(64))).alloc(4096).expect("there is memory");
    made.attach(Window::WHOLE).and_then(|attached| attached.write(0, &byte)).expect("it is mine");
    made
}

fn capability(of: &Dataspace) -> DataspaceCapability {
    of.capability().into()
}

#[test]
fn dataspaces_are_arguments_and_results_alone_and_within_others() {
    let mut gallery = host::<dyn Gallery, _>(|| Wall).client();
    let (one, two) = (dataspace(1), dataspace(2));
    assert_eq!(gallery.first_byte(capability(&one)), Ok(1));
    let (came_first, came_second) = gallery.swap((capability(&one), capability(&two))).unwrap();
    assert_eq!((first(&came_first), first(&came_second)), (2, 1));
    assert_eq!(came_first.attributes(), two.capability().attributes());

    // Beside capabilities to objects, in the order of the values.
    let label = host::<dyn Echo, _>(|| Mirror);
    for palette in [None, Some(capability(&two))] {
        let picture = Picture { width: 3, pixels: capability(&one), palette };
        let has_palette = picture.palette.is_some();
        let hung = gallery.hang(picture, label.clone()).unwrap();
        assert_eq!((hung.width, first(&hung.pixels)), (4, 1));
        assert_eq!(hung.palette.as_ref().map(first), has_palette.then_some(2));
    }
}

#[test]
fn g5_a_message_holds_four_and_a_fifth_is_told_before_it_is_sent() {
    let mut gallery = host::<dyn Gallery, _>(|| Wall).client();
    let made: Vec<Dataspace> = (0..5).map(dataspace).collect();
    let all: Vec<DataspaceCapability> = made.iter().map(capability).collect();
    let back = gallery.all(all[..4].to_vec()).unwrap();
    assert_eq!(back.iter().map(first).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(gallery.all(all).map(drop), Err(Error::TooManyCapabilities));
}

#[test]
fn attack_6_a_dataspace_is_no_object_and_an_object_no_dataspace() {
    let wall = host::<dyn Gallery, _>(|| Wall);
    let mirror = host::<dyn Echo, _>(|| Mirror).into_untyped();
    let memory = capability(&dataspace(1)).to_untyped();
    // A request as its sender wrote it: the method takes the one kind and gets the other.
    let answer = |method: &str, carried: &ipc::Capability| {
        let opcode = <dyn Gallery>::METHODS.iter().position(|name| *name == method).expect("it is there");
        let mut request = MsgBuf::new();
        request.set_method(u32::try_from(opcode).unwrap(), <dyn Gallery>::CHAIN[opcode]);
        request.write(&[0]).unwrap();
        request.push(carried.clone()).unwrap();
        wall.untyped().call(&request, &mut MsgBuf::new())
    };
    let malformed = Err(ipc::Error::Refused(Refusal::Malformed));
    assert_eq!(answer("object", &mirror), Ok(()));
    assert_eq!(answer("object", &memory), malformed);
    assert_eq!(answer("first_byte", &mirror), malformed);
    // Nor is it called, or the same as anything.
    let called = memory.call(&MsgBuf::new(), &mut MsgBuf::new());
    assert_eq!(called, Err(ipc::Error::InvalidCapability));
    let same = memory.same_object(&memory.clone(), ipc::Deadline::Never);
    assert_eq!(same, Err(ipc::Error::InvalidCapability));
    memory.submit();
}

#[test]
fn outside_of_a_call_it_does_not_travel() {
    assert!(postcard::to_stdvec(&capability(&dataspace(1))).is_err());
}

#[test]
fn what_a_message_says_of_it_is_not_believed() {
    let made = dataspace(1);
    let lie =
        portcullis_shm::DataspaceCapability::from_parts(made.capability(), Attributes::from_bits(1 << 40));
    let back = host::<dyn Gallery, _>(|| Wall).client().all(vec![lie.into()]).unwrap().remove(0);
    assert!(matches!(back.import(), Err(portcullis_shm::Error::NoDataspace(_))));
}

#[test]
fn a_task_gets_it_like_a_thread() {
    let gallery = host::<dyn Gallery, _>(|| Wall).client();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let made = dataspace(7);
    let back = runtime.block_on(gallery.all_async(vec![capability(&made)])).unwrap();
    assert_eq!(first(&back[0]), 7);
}
