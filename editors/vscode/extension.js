// Connects Visual Studio Code with `lasp lsp`. Plain JavaScript without dependencies: nothing is built or fetched.
"use strict";

const vscode = require("vscode");
const { spawn } = require("child_process");

/** The server process and what was asked of it. */
class Client {
  constructor(command, onNotification, onEnd) {
    this.pending = new Map();
    this.asked = 0;
    this.input = Buffer.alloc(0);
    this.onNotification = onNotification;
    this.process = spawn(command, ["lsp"], { stdio: ["pipe", "pipe", "ignore"] });
    this.process.on("error", (error) => onEnd(error.message));
    this.process.on("exit", (code) => onEnd(`it ended with code ${code}`));
    this.process.stdin.on("error", () => {});
    this.process.stdout.on("data", (bytes) => this.receive(bytes));
  }

  send(message) {
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }), "utf8");
    this.process.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.process.stdin.write(body);
  }

  tell(method, params) {
    this.send({ method, params });
  }

  ask(method, params) {
    const id = ++this.asked;
    return new Promise((resolve) => {
      this.pending.set(id, resolve);
      this.send({ id, method, params });
    });
  }

  receive(bytes) {
    this.input = Buffer.concat([this.input, bytes]);
    for (;;) {
      const head = this.input.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = /content-length: *(\d+)/i.exec(this.input.subarray(0, head).toString());
      const end = head + 4 + (length ? Number(length[1]) : 0);
      if (this.input.length < end) return;
      const message = JSON.parse(this.input.subarray(head + 4, end).toString("utf8"));
      this.input = this.input.subarray(end);
      if (message.method) {
        this.onNotification(message.method, message.params);
      } else {
        this.pending.get(message.id)?.(message.error ? null : message.result);
        this.pending.delete(message.id);
      }
    }
  }

  async stop() {
    await Promise.race([this.ask("shutdown"), new Promise((resolve) => setTimeout(resolve, 500))]);
    this.tell("exit");
  }
}

// ---- between the protocol's shapes and the editor's ----

const position = (p) => new vscode.Position(p.line, p.character);
const range = (r) => new vscode.Range(position(r.start), position(r.end));
const location = (l) => new vscode.Location(vscode.Uri.parse(l.uri), range(l.range));
const here = (document, at) => ({ textDocument: { uri: document.uri.toString() }, position: at });

function diagnostic(d) {
  const made = new vscode.Diagnostic(range(d.range), d.message, d.severity - 1);
  made.source = d.source;
  made.relatedInformation = (d.relatedInformation ?? []).map(
    (r) => new vscode.DiagnosticRelatedInformation(location(r.location), r.message),
  );
  return made;
}

function completion(item) {
  const made = new vscode.CompletionItem(item.label, item.kind - 1);
  made.detail = item.detail;
  made.documentation = item.documentation;
  made.sortText = item.sortText;
  made.filterText = item.filterText;
  made.insertText = item.textEdit.newText;
  made.range = range(item.textEdit.range);
  return made;
}

function symbol(s) {
  return new vscode.DocumentSymbol(s.name, s.detail ?? "", s.kind - 1, range(s.range), range(s.selectionRange));
}

// ---- the extension ----

let client;

async function activate(context) {
  const problems = vscode.languages.createDiagnosticCollection("lasp");
  const told = (method, params) => {
    if (method === "textDocument/publishDiagnostics") {
      problems.set(vscode.Uri.parse(params.uri), params.diagnostics.map(diagnostic));
    }
  };
  const ended = (why) => {
    if (!client) return;
    client = undefined;
    vscode.window.showWarningMessage(`Lasp: the language server is not running (${why}); see the setting lasp.command.`);
  };
  const command = vscode.workspace.getConfiguration("lasp").get("command") || "lasp";
  client = new Client(command, told, ended);
  await client.ask("initialize", { processId: process.pid, rootUri: null, capabilities: {} });
  client?.tell("initialized", {});

  const ours = (document) => client && document.languageId === "lasp";
  const open = (document) => {
    if (!ours(document)) return;
    const text = document.getText();
    const item = { uri: document.uri.toString(), languageId: "lasp", version: document.version, text };
    client.tell("textDocument/didOpen", { textDocument: item });
  };
  const ask = async (document, method, params) => (ours(document) ? await client.ask(`textDocument/${method}`, params) : null);
  const on = (subscription) => context.subscriptions.push(subscription);
  on(problems);
  on(vscode.workspace.onDidOpenTextDocument(open));
  on(
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      if (!ours(document)) return;
      const textDocument = { uri: document.uri.toString(), version: document.version };
      client.tell("textDocument/didChange", { textDocument, contentChanges: [{ text: document.getText() }] });
    }),
  );
  on(
    vscode.workspace.onDidCloseTextDocument((document) => {
      if (ours(document)) client.tell("textDocument/didClose", { textDocument: { uri: document.uri.toString() } });
    }),
  );
  on(
    vscode.languages.registerHoverProvider("lasp", {
      async provideHover(document, at) {
        const found = await ask(document, "hover", here(document, at));
        return found && new vscode.Hover(new vscode.MarkdownString(found.contents.value), found.range && range(found.range));
      },
    }),
  );
  on(
    vscode.languages.registerCompletionItemProvider(
      "lasp",
      {
        async provideCompletionItems(document, at) {
          const found = await ask(document, "completion", here(document, at));
          return (found ?? []).map(completion);
        },
      },
      "{",
      "(",
      ":",
    ),
  );
  on(
    vscode.languages.registerDefinitionProvider("lasp", {
      async provideDefinition(document, at) {
        const found = await ask(document, "definition", here(document, at));
        return found && location(found);
      },
    }),
  );
  on(
    vscode.languages.registerDocumentSymbolProvider("lasp", {
      async provideDocumentSymbols(document) {
        const found = await ask(document, "documentSymbol", { textDocument: { uri: document.uri.toString() } });
        return (found ?? []).map(symbol);
      },
    }),
  );
  vscode.workspace.textDocuments.forEach(open);
}

async function deactivate() {
  const leaving = client;
  client = undefined;
  await leaving?.stop();
}

module.exports = { activate, deactivate };
