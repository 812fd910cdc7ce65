using System.Globalization;
using QuadEngine.Benchmarks;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
return args is [var verb, .. var rest] && Verbs.All.TryGetValue(verb, out var run) ? run(rest) : Verbs.Usage();
