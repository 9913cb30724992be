// Answers questions about KQL with Microsoft's own parser and binder, one JSON object a line.
//
// The first line is the schema: {"tables": {name: {column: type}}, "open": [name], "functions":
// {name: {"parameters", "body"}}}. An open table has whatever column it is asked for. Each further
// line is {"query"}; its answer is {"errors": [text], "columns": [[name, type]] or null, "reads":
// [[table, offset]]}. Offsets are JavaScript's, in UTF-16.
"use strict";

const fs = require("fs");
const path = require("path");
const readline = require("readline");
const vm = require("vm");

// The library is no module: it makes names in the global scope.
const library = path.dirname(require.resolve("@kusto/language-service-next/package.json"));
for (const file of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  const source = path.join(library, file);
  vm.runInThisContext(fs.readFileSync(source, "utf8"), { filename: source });
}

const { GlobalState, KustoCode } = Kusto.Language;
const { InvokeOperator, NameReference, SyntaxElement } = Kusto.Language.Syntax;
const { ColumnSymbol, DatabaseSymbol, FunctionSymbol, GroupSymbol, ScalarTypes, TableSymbol } =
  Kusto.Language.Symbols;
const UNKNOWN_NAME = "KS142";

function tableOf(name, columns, isOpen) {
  const symbols = Object.entries(columns).map(
    ([column, type]) => new ColumnSymbol(column, ScalarTypes.GetSymbol(type), null, null, null),
  );
  const table = new TableSymbol.$ctor4(name, symbols);
  return isOpen ? table.WithIsOpen(true) : table;
}

function tenantOf({ tables, open, functions }) {
  const held = Object.entries(tables).map(([name, columns]) =>
    tableOf(name, columns, open.includes(name)),
  );
  const own = Object.entries(functions).map(
    ([name, { parameters, body }]) => new FunctionSymbol.$ctor16(name, parameters, body, null),
  );
  const database = new DatabaseSymbol.$ctor2("tenant", null, [...held, ...own]);
  return { globals: GlobalState.Default.WithDatabase(database), tables: new Set(held) };
}

function nodesOf(code, kind) {
  const found = [];
  SyntaxElement.WalkNodes(code.Syntax, (node) => Bridge.is(node, kind) && found.push(node));
  return found;
}

function readsOf(code, tables) {
  const found = [];
  // A wildcard is a node of another kind, and stands for a group.
  SyntaxElement.WalkNodes(code.Syntax, (node) => {
    const symbol = node.ReferencedSymbol;
    if (Bridge.is(symbol, GroupSymbol)) {
      for (const member of Bridge.toArray(symbol.Members)) {
        if (tables.has(member)) found.push([member.Name, node.TextStart]);
      }
    } else if (Bridge.is(node, NameReference) && tables.has(symbol)) {
      found.push([symbol.Name, node.TextStart]);
    }
  });
  return found;
}

function errorsOf(code) {
  // The service's enrichments take a column's name, which the binder allows no function to.
  const enrichments = nodesOf(code, InvokeOperator);
  const isAllowed = ({ Code, Start }) =>
    Code === UNKNOWN_NAME && enrichments.some((node) => node.TextStart < Start && Start < node.End);
  return Bridge.toArray(code.GetDiagnostics())
    .filter((diagnostic) => diagnostic.Severity === "Error" && !isAllowed(diagnostic))
    .map(({ Code, Start, Message }) => `${Code} at ${Start}: ${Message}`);
}

function answer({ globals, tables }, query) {
  const code = KustoCode.ParseAndAnalyze(query, globals);
  const type = code.ResultType;
  const columns = Bridge.is(type, TableSymbol)
    ? Bridge.toArray(type.Columns).map((column) => [column.Name, column.Type.Name])
    : null;
  return { errors: errorsOf(code), columns, reads: readsOf(code, tables) };
}

let tenant = null;
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const asked = JSON.parse(line);
  let said = {};
  try {
    if (tenant === null) tenant = tenantOf(asked);
    else said = answer(tenant, asked.query);
  } catch (error) {
    said = { failed: String(error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
});
