using QuadEngine.Cli;

return Tool.Run(args, Output.ToConsole());
