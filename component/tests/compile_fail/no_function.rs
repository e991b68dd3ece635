use portcullis_component::component;

#[component]
struct Construct;

fn main() {}
