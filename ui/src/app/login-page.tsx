import { Login } from "~/features/login/login";

export default function LoginPage() {
  return <Login />;
}
