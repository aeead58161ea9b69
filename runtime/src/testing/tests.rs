//! That the laws hold of a mapper as the generator makes it, and that they find what is wrong with
//! others.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::net::IpAddr;

use proptest::strategy::{BoxedStrategy, Just, Strategy};

use super::{Lawful, Located, any_of, broken, laws};
use crate::mapper::{
    self as map, Boxed, Fields, Grade, Integer, IpText, MapError, MapOf, NonEmpty, Optional,
    ProtobufMapper, Repeated, Required, Same,
};

/// A message that holds itself in all the ways there are.
#[derive(Clone, PartialEq, prost::Message)]
struct NodeProto {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(double, tag = "2")]
    weight: f64,
    #[prost(string, optional, tag = "3")]
    address: Option<String>,
    #[prost(message, optional, boxed, tag = "4")]
    parent: Option<Box<NodeProto>>,
    #[prost(message, repeated, tag = "5")]
    children: Vec<NodeProto>,
    #[prost(map = "string, message", tag = "6")]
    named: HashMap<String, NodeProto>,
    #[prost(int32, tag = "7")]
    size: i32,
}

#[derive(Debug)]
struct Node {
    name: String,
    weight: f64,
    address: IpAddr,
    parent: Option<Box<Node>>,
    children: Vec<Node>,
    named: BTreeMap<String, Node>,
    size: usize,
}

struct NodeMapper;

type Name = NonEmpty<Same<String>>;
type Address = Required<IpText>;
type Parent = Optional<Boxed<NodeMapper>>;
type Children = Repeated<NodeMapper>;
type Named = MapOf<String, NodeMapper, HashMap<String, NodeProto>, BTreeMap<String, Node>>;
type Size = Integer<i32, usize>;

impl ProtobufMapper for NodeMapper {
    type Entity = Node;
    type Proto = NodeProto;
    type EncodeError = MapError;
    const GRADE: Grade = Grade::Injective;

    fn to_proto(entity: &Node) -> Result<NodeProto, MapError> {
        Ok(NodeProto {
            name: map::to::<Name>("name", &entity.name)?,
            weight: entity.weight,
            address: map::to::<Address>("address", &entity.address).map_err(MapError::from)?,
            parent: map::to::<Parent>("parent", &entity.parent)?,
            children: map::to::<Children>("children", &entity.children)?,
            named: map::to::<Named>("named", &entity.named)?,
            size: map::to::<Size>("size", &entity.size)?,
        })
    }

    fn into_proto(entity: Node) -> Result<NodeProto, MapError> {
        Ok(NodeProto {
            name: map::into::<Name>("name", entity.name)?,
            weight: entity.weight,
            address: map::into::<Address>("address", entity.address).map_err(MapError::from)?,
            parent: map::into::<Parent>("parent", entity.parent)?,
            children: map::into::<Children>("children", entity.children)?,
            named: map::into::<Named>("named", entity.named)?,
            size: map::into::<Size>("size", entity.size)?,
        })
    }

    fn from_proto(proto: NodeProto) -> Result<Node, MapError> {
        let mut fields = Fields::new();
        let weight = proto.weight;
        let name = fields.map::<Name>("name", proto.name);
        let address = fields.map::<Address>("address", proto.address);
        let parent = fields.map::<Parent>("parent", proto.parent);
        let children = fields.map::<Children>("children", proto.children);
        let named = fields.map::<Named>("named", proto.named);
        let size = fields.map::<Size>("size", proto.size);
        let (Some(name), Some(address), Some(parent), Some(children), Some(named), Some(size)) =
            (name, address, parent, children, named, size)
        else {
            return Err(fields.into_error());
        };
        Ok(Node {
            name,
            weight,
            address,
            parent,
            children,
            named,
            size,
        })
    }
}

impl Lawful for NodeMapper {
    fn entities(depth: u32) -> BoxedStrategy<Node> {
        (
            Name::entities(depth),
            Same::<f64>::entities(depth),
            Address::entities(depth),
            Parent::entities(depth),
            Children::entities(depth),
            Named::entities(depth),
            Size::entities(depth),
        )
            .prop_map(
                |(name, weight, address, parent, children, named, size)| Node {
                    name,
                    weight,
                    address,
                    parent,
                    children,
                    named,
                    size,
                },
            )
            .boxed()
    }

    fn unmappable(depth: u32) -> Option<Located<Node>> {
        let whole = Self::entities(depth);
        any_of([
            broken(&whole, "name", Name::unmappable(depth), |whole, name| {
                whole.name = name;
            }),
            broken(
                &whole,
                "parent",
                Parent::unmappable(depth),
                |whole, parent| {
                    whole.parent = parent;
                },
            ),
            broken(
                &whole,
                "children",
                Children::unmappable(depth),
                |whole, children| {
                    whole.children = children;
                },
            ),
            broken(&whole, "named", Named::unmappable(depth), |whole, named| {
                whole.named = named;
            }),
            broken(&whole, "size", Size::unmappable(depth), |whole, size| {
                whole.size = size;
            }),
        ])
    }

    fn protos(depth: u32) -> BoxedStrategy<NodeProto> {
        (
            Name::protos(depth),
            Same::<f64>::protos(depth),
            Address::protos(depth),
            Parent::protos(depth),
            Children::protos(depth),
            Named::protos(depth),
            Size::protos(depth),
        )
            .prop_map(
                |(name, weight, address, parent, children, named, size)| NodeProto {
                    name,
                    weight,
                    address,
                    parent,
                    children,
                    named,
                    size,
                },
            )
            .boxed()
    }

    fn corrupted(depth: u32) -> Option<Located<NodeProto>> {
        let whole = Self::protos(depth);
        any_of([
            broken(&whole, "name", Name::corrupted(depth), |whole, name| {
                whole.name = name;
            }),
            broken(
                &whole,
                "address",
                Address::corrupted(depth),
                |whole, address| {
                    whole.address = address;
                },
            ),
            broken(
                &whole,
                "parent",
                Parent::corrupted(depth),
                |whole, parent| {
                    whole.parent = parent;
                },
            ),
            broken(
                &whole,
                "children",
                Children::corrupted(depth),
                |whole, children| {
                    whole.children = children;
                },
            ),
            broken(&whole, "named", Named::corrupted(depth), |whole, named| {
                whole.named = named;
            }),
            broken(&whole, "size", Size::corrupted(depth), |whole, size| {
                whole.size = size;
            }),
        ])
    }

    fn same(a: &Node, b: &Node) -> bool {
        Name::same(&a.name, &b.name)
            && Same::<f64>::same(&a.weight, &b.weight)
            && Address::same(&a.address, &b.address)
            && Parent::same(&a.parent, &b.parent)
            && Children::same(&a.children, &b.children)
            && Named::same(&a.named, &b.named)
            && Size::same(&a.size, &b.size)
    }

    fn same_proto(a: &NodeProto, b: &NodeProto) -> bool {
        Name::same_proto(&a.name, &b.name)
            && Same::<f64>::same_proto(&a.weight, &b.weight)
            && Address::same_proto(&a.address, &b.address)
            && Parent::same_proto(&a.parent, &b.parent)
            && Children::same_proto(&a.children, &b.children)
            && Named::same_proto(&a.named, &b.named)
            && Size::same_proto(&a.size, &b.size)
    }
}

#[test]
fn a_message_that_holds_itself_is_lawful() {
    laws::all::<NodeMapper>();
}

/// Mappers that are wrong in one way each, of small numbers.
macro_rules! wrong_mapper {
    ($mapper:ident, $grade:ident, to $to:expr, into $into:expr, from $from:expr) => {
        struct $mapper;

        impl ProtobufMapper for $mapper {
            type Entity = u8;
            type Proto = i32;
            type EncodeError = Infallible;
            const GRADE: Grade = Grade::$grade;

            fn to_proto(entity: &u8) -> Result<i32, Infallible> {
                Ok($to(i32::from(*entity)))
            }

            fn into_proto(entity: u8) -> Result<i32, Infallible> {
                Ok($into(i32::from(entity)))
            }

            fn from_proto(proto: i32) -> Result<u8, MapError> {
                u8::try_from($from(proto))
                    .map_err(|_| MapError::new(crate::ViolationKind::OutOfRange, "is too large"))
            }
        }

        impl Lawful for $mapper {
            fn entities(_depth: u32) -> BoxedStrategy<u8> {
                (0..=255_u8).boxed()
            }

            fn unmappable(_depth: u32) -> Option<Located<u8>> {
                Some(Just((1, String::new())).boxed())
            }

            fn protos(_depth: u32) -> BoxedStrategy<i32> {
                (0..=255).boxed()
            }

            fn corrupted(_depth: u32) -> Option<Located<i32>> {
                Some((256..999).prop_map(|wrong| (wrong, String::new())).boxed())
            }

            fn same(a: &u8, b: &u8) -> bool {
                a == b
            }

            fn same_proto(a: &i32, b: &i32) -> bool {
                a == b
            }
        }
    };
}

wrong_mapper!(
    Forgets,
    Injective,
    to | n | n & !1,
    into | n | n & !1,
    from | n | n
);
wrong_mapper!(
    ForgetsKnowingly,
    Lossy,
    to | n | n & !1,
    into | n | n & !1,
    from | n | n
);
wrong_mapper!(
    TwoWays,
    Injective,
    to | n | n,
    into | n | n + 1,
    from | n | n
);
wrong_mapper!(NotIso, Iso, to |n: i32| n & !1, into |n| n & !1, from |n: i32| n & !1);
wrong_mapper!(TakesAll, Injective, to |n| n, into |n| n, from |n: i32| n & 0xff);

#[test]
#[should_panic(expected = "the entity came back as")]
fn an_entity_that_changes_is_found() {
    laws::entity_round_trip::<Forgets>();
}

#[test]
fn a_lossy_entity_may_change() {
    laws::entity_round_trip::<ForgetsKnowingly>();
}

#[test]
#[should_panic(expected = "by value")]
fn two_ways_that_differ_are_found() {
    laws::entity_round_trip::<TwoWays>();
}

#[test]
#[should_panic(expected = "the message came back as")]
fn a_message_that_changes_is_found() {
    laws::message_round_trip::<NotIso>();
}

#[test]
#[should_panic(expected = "it maps")]
fn a_wrong_message_that_maps_is_found() {
    laws::corruption_is_located::<TakesAll>();
}

#[test]
#[should_panic(expected = "it maps")]
fn an_unmappable_entity_that_maps_is_found() {
    laws::unmappable_is_located::<TakesAll>();
}

/// As [`IpText`], with the wrong path.
struct Elsewhere;

impl ProtobufMapper for Elsewhere {
    type Entity = IpAddr;
    type Proto = String;
    type EncodeError = Infallible;
    const GRADE: Grade = Grade::Injective;

    fn to_proto(entity: &IpAddr) -> Result<String, Infallible> {
        IpText::to_proto(entity)
    }

    fn into_proto(entity: IpAddr) -> Result<String, Infallible> {
        IpText::into_proto(entity)
    }

    fn from_proto(proto: String) -> Result<IpAddr, MapError> {
        IpText::from_proto(proto).map_err(|error| map::Unmappable::at(error, "elsewhere"))
    }
}

impl Lawful for Elsewhere {
    fn entities(depth: u32) -> BoxedStrategy<IpAddr> {
        IpText::entities(depth)
    }

    fn protos(depth: u32) -> BoxedStrategy<String> {
        IpText::protos(depth)
    }

    fn corrupted(depth: u32) -> Option<Located<String>> {
        IpText::corrupted(depth)
    }

    fn same(a: &IpAddr, b: &IpAddr) -> bool {
        a == b
    }

    fn same_proto(a: &String, b: &String) -> bool {
        a == b
    }
}

#[test]
#[should_panic(expected = "it fails elsewhere")]
fn a_wrong_path_is_found() {
    laws::corruption_is_located::<Elsewhere>();
}
