using System.Globalization;
using QuadEngine.Benchmarks.Peers;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
return args is ["worker", .. var rest] ? Worker.Run(rest) : Comparison.Run(args);
