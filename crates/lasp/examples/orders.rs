//! A join of two sets: orders with their customers, kept up to date as either side changes.
//!
//! `cargo run -p lasp --example orders`

use lasp::{Collection as _, Lasp, Set};
use serde::{Deserialize, Serialize};
use std::io::Write;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Customer {
    id: u32,
    name: String,
    city: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Order {
    number: u64,
    customer: u32,
    total: f64,
}

pub(crate) async fn run(out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let lasp = Lasp::builder().listen("127.0.0.1:0").start().await?;
    let customers: Set<Customer> = lasp.set("customers").await?;
    let orders: Set<Order> = lasp.set("orders").await?;

    let by_customer = orders.join(&customers, |order| order.customer, |customer| customer.id);
    let lines = by_customer.map(|(order, customer)| (customer.name, order.number, order.total)).await?;
    let by_city = by_customer
        .flat_map(|(order, customer)| customer.city.map(|city| (city, order.number, order.total)))
        .group_by(|(city, ..)| city.clone())
        .sum(|(.., total)| *total)
        .await?;
    let strangers = orders.map(|order| order.customer).difference(&customers.map(|customer| customer.id)).await?;

    let (ann, bob) = (
        Customer { id: 1, name: "Ann".to_owned(), city: Some("Bonn".to_owned()) },
        Customer { id: 2, name: "Bob".to_owned(), city: None },
    );
    let order = |number, customer, total| Order { number, customer, total };
    orders.add_all([order(100, 1, 9.5), order(101, 2, 20.0), order(102, 1, 30.5), order(103, 3, 1.0)]).await?;
    customers.add_all([&ann, &bob]).await?;
    for line in lines.value().await? {
        writeln!(out, "{line:?}")?;
    }
    writeln!(out, "by city: {:?}", by_city.value().await?)?;
    writeln!(out, "orders of nobody known: {:?}", strangers.value().await?)?;

    customers.remove(&ann).await?;
    writeln!(out, "without Ann: {:?}", lines.value().await?)?;

    lasp.shutdown().await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = Vec::new();
    run(&mut out).await?;
    Ok(std::io::stdout().write_all(&out)?)
}
