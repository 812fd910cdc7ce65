namespace QuadEngine;

/// <summary>All entries of one kind; <see cref="Registry{T}"/> knows their type.</summary>
public abstract class Registry
{
    private protected Registry(string kind) => Kind = kind;

    /// <summary>What the entries are, e.g. "network"; messages use it.</summary>
    public string Kind { get; }

    /// <summary>All entries, in the order of their registration.</summary>
    public abstract IReadOnlyList<Entry> Entries { get; }

    /// <summary>Their names.</summary>
    public IReadOnlyList<string> Names => [.. Entries.Select(entry => entry.Name)];

    /// <summary>Finds an entry by its name; upper and lower case are the same. Null if there is none.</summary>
    /// <param name="name">The name.</param>
    public Entry? Find(string name) => Entries.FirstOrDefault(entry => entry.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Gives the entry that a selection, or a name, asks for.</summary>
    /// <param name="selection">Its options do not count.</param>
    /// <exception cref="ArgumentException">There is no such entry. The message lists all entries, and names the assembly that has it if the selection does.</exception>
    public Entry Require(Selection selection)
    {
        var found = Find(selection.Name);
        if (found is not null && (selection.Assembly ?? found.Assembly) == found.Assembly) return found;
        var known = found is null ? $"no {Kind} \"{selection.Name}\" (known: {string.Join(", ", Names)})" : $"the {Kind} \"{found.Name}\" that is registered comes from the assembly {found.Assembly}";
        throw new ArgumentException(selection.Assembly is not { } assembly ? known
            : $"{known}. It should come from the assembly {assembly}: give the tool --plugin {assembly}.dll, with the path of that file; in a program, call the registration of that assembly first.");
    }
}

/// <summary>
/// All entries of one kind by their names: the engine's own, and those that other assemblies register.
/// <code>
/// Networks.Registry.Register(new Perceptron());
/// var network = Networks.Create(new NetworkConfiguration { Model = "perceptron" });
/// </code>
/// </summary>
/// <remarks>Safe to use from any number of threads.</remarks>
public sealed class Registry<T> : Registry where T : Entry
{
    readonly Lock registering = new();
    readonly HashSet<string> own;

    // Replaced, never changed: it is read without a lock.
    volatile T[] entries = [];

    /// <summary>Makes a registry with its first entries.</summary>
    /// <param name="kind">What the entries are, e.g. "network".</param>
    /// <param name="own">The first entries. Files do not name the assembly of these.</param>
    public Registry(string kind, params IEnumerable<T> own) : base(kind)
    {
        foreach (var entry in own) Register(entry);
        this.own = [.. entries.Select(entry => entry.Assembly)];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<T> Entries => entries;

    /// <summary>Adds an entry at the end.</summary>
    /// <param name="entry">Its name must differ from all others by more than upper and lower case.</param>
    /// <exception cref="ArgumentException">The name is taken, empty, or has a letter that names cannot have; or an option has such a name, or the name of another option.</exception>
    public void Register(T entry)
    {
        CheckNames(entry);
        lock (registering)
        {
            var taken = Find(entry.Name);
            Check.That(taken is null, nameof(Register), $"the {Kind} \"{entry.Name}\" of {entry.Assembly} cannot be registered, since {taken!.Assembly} has registered one of that name; choose another name.");
            entries = [.. entries, entry];
        }
    }

    /// <inheritdoc cref="Registry.Require"/>
    public T Get(Selection selection) => (T)Require(selection);

    /// <summary>Checks a selection and completes it: with the values of all options, and the name of the assembly if it is not the engine's. Files hold complete selections.</summary>
    /// <param name="selection">May leave options out.</param>
    /// <exception cref="ArgumentException">There is no such entry, it has no such option, or a value is not allowed; the message says what is.</exception>
    public Selection Complete(Selection selection)
    {
        var entry = Get(selection);
        var complete = new Selection(entry.Name) { Assembly = own.Contains(entry.Assembly) ? null : entry.Assembly };
        foreach (var (name, text) in selection.Options)
        {
            var option = entry.Options.FirstOrDefault(option => option.Name == name)
                ?? throw new ArgumentException($"the {Kind} \"{entry.Name}\" has no option \"{name}\" ({Options(entry)})");
            if (option.Refusal(text) is { } refusal) throw new ArgumentException($"option \"{name}\" of the {Kind} \"{entry.Name}\": {refusal}");
        }

        foreach (var option in entry.Options)
            if (selection.Options.GetValueOrDefault(option.Name, option.DefaultText!) is { } text) complete = complete.With(option.Name, text);
        return complete;
    }

    static string Options(Entry entry) => entry.Options.Count == 0 ? "it has none" : $"it has {string.Join(", ", entry.Options.Select(option => option.Name))}";

    void CheckNames(T entry)
    {
        Check.That(entry.Name.Length > 0 && entry.Name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.') && char.IsAsciiLetterOrDigit(entry.Name[0]), nameof(Register),
            $"\"{entry.Name}\" is no name of a {Kind}; use letters, digits, dots, dashes and underscores, a letter or digit first.");
        var seen = new HashSet<string>();
        foreach (var option in entry.Options)
        {
            Check.That(option.Name.Length > 0 && option.Name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-') && char.IsAsciiLetterLower(option.Name[0]), nameof(Register),
                $"\"{option.Name}\" is no name of an option, as the {Kind} \"{entry.Name}\" has it; use small letters, digits and dashes, a letter first.");
            Check.That(option.Name is not ("name" or "assembly"), nameof(Register), $"the {Kind} \"{entry.Name}\" has an option \"{option.Name}\", a word that files use themselves; choose another.");
            Check.That(seen.Add(option.Name), nameof(Register), $"the {Kind} \"{entry.Name}\" has two options \"{option.Name}\"; choose another name for one.");
        }
    }
}
